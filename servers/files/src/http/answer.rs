//! What is at a target. Everything here may block, except [`at_once`].

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::body::{Body, FileBody, Segment, Wait};
use super::conditions::http_date;
use super::listing::Listing;
use super::ranges::Selection;
use super::request::{Method, Request};
use super::response::{HTML, JSON, Response};
use super::site::Site;
use super::tags::Version;
use super::target::Target;
use super::{Refusal, Status, refusal};
use crate::TreeErrorKind;

/// The file that stands for its directory.
const INDEX: &str = "index.html";

/// The answer, if it is a file and the kernel has in memory what has to be known of it: an event loop need not ask anybody
/// else to wait for a disk. Nothing else is answered here.
pub(super) fn at_once(
    site: &Site,
    request: &Request,
    now: SystemTime,
) -> Option<Result<Response, Refusal>> {
    let target = Target::parse(&request.target).ok().filter(|target| !target.is_directory())?;
    let path = target.path();
    let (file, metadata) = site.tree.read_at_once(&path)?;
    let answer = send(file, &metadata, &path, request, now).map(|mut response| {
        let has_begun = response.body.begin(Wait::Never).is_ok();
        has_begun.then_some(response)
    });
    answer.transpose()
}

/// Finds, opens and begins to read what `request` asks for.
pub(super) fn answer(site: &Site, request: &Request, now: SystemTime) -> Result<Response, Refusal> {
    let target = Target::parse(&request.target)?;
    let path = target.path();
    let (file, metadata) = site.tree.read(&path).map_err(|error| refusal(&error))?;
    if metadata.is_file() {
        // `/page.html/` would make the page's relative links wrong.
        return if target.is_directory() {
            Err(Status::NotFound.into())
        } else {
            read(send(file, &metadata, &path, request, now)?)
        };
    }
    if !target.is_directory() {
        let mut response = Response::error(request, now, Status::MovedPermanently);
        response.add("Location", target.directory_url());
        return Ok(response);
    }
    match site.tree.read(&path.join(INDEX)) {
        Ok((index, metadata)) if metadata.is_file() => {
            read(send(index, &metadata, Path::new(INDEX), request, now)?)
        }
        Err(error) if error.kind() == TreeErrorKind::Denied => Err(Status::Forbidden.into()),
        Ok(_) | Err(_) => {
            let listing = Listing::read(&site.tree, &path, file).map_err(|error| failed(&error))?;
            let mut response = if request.wants_json {
                Response::new(request, now, Status::Ok, JSON, listing.json())
            } else {
                Response::new(request, now, Status::Ok, HTML, listing.page(&target))
            };
            response.add("Vary", "Accept");
            Ok(response)
        }
    }
}

/// With its first part.
fn read(mut response: Response) -> Result<Response, Refusal> {
    response.body.begin(Wait::ForDisk).map_err(|error| failed(&error))?;
    Ok(response)
}

/// Answers with a file, which the client knows as `name`; nothing of it has been read yet.
fn send(
    file: File,
    metadata: &Metadata,
    name: &Path,
    request: &Request,
    now: SystemTime,
) -> Result<Response, Refusal> {
    let version = Version::of(metadata);
    let mut fields: Vec<(&'static str, Cow<'static, str>)> =
        vec![("Accept-Ranges", "bytes".into()), ("ETag", version.tag.field().into())];
    if let Some(date) = version.modified.and_then(http_date) {
        fields.push(("Last-Modified", date.into()));
    }
    match request.conditions.status(Some(&version), true) {
        Some(Status::NotModified) => {
            let status = Status::NotModified;
            return Ok(Response::with_body(request, now, status, fields, None, Body::Empty));
        }
        Some(failed) => return Err(failed.into()),
        None => {}
    }
    let whole = metadata.len();
    // RFC 9110 section 14.2: a range means something for GET only.
    let ranges = match request.method {
        Method::Get => request.conditions.ranges(&version, now),
        Method::Head
        | Method::Put
        | Method::Post
        | Method::Delete
        | Method::Options
        | Method::NotAllowed
        | Method::Unknown => None,
    };
    let selection = ranges.map_or(Selection::Whole, |ranges| ranges.within(whole));
    let media = content_type(name);
    let (status, media, segments) = match selection {
        Selection::Whole => (Status::Ok, media, VecDeque::from([plain(0, whole)])),
        Selection::Unsatisfiable => {
            let mut response = Response::error(request, now, Status::RangeNotSatisfiable);
            response.add("Content-Range", format!("bytes */{whole}"));
            return Ok(response);
        }
        Selection::Parts(parts) => match parts[..] {
            [(offset, length)] => {
                fields.push(("Content-Range", content_range(offset, length, whole).into()));
                (Status::PartialContent, media, VecDeque::from([plain(offset, length)]))
            }
            _ => {
                let (media, segments) = several(&parts, whole, &media)?;
                (Status::PartialContent, media, segments)
            }
        },
    };
    fields.push(("Content-Type", media));
    let length = segments.iter().map(|segment| segment.text.len() as u64 + segment.length).sum();
    let body = if request.method == Method::Head || length == 0 {
        Body::Empty
    } else {
        Body::File(FileBody::new(file, segments))
    };
    Ok(Response::with_body(request, now, status, fields, Some(length), body))
}

fn plain(offset: u64, length: u64) -> Segment {
    Segment { text: String::new(), offset, length }
}

fn content_range(offset: u64, length: u64, whole: u64) -> String {
    format!("bytes {offset}-{}/{whole}", offset + length - 1)
}

/// Several parts of a file as one content (RFC 9110 section 14.6), and its type.
fn several(
    parts: &[(u64, u64)],
    whole: u64,
    media: &str,
) -> Result<(Cow<'static, str>, VecDeque<Segment>), Refusal> {
    // Random, so that no file can contain it on purpose.
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Status::InternalServerError)?;
    let boundary = format!("palco-{:032x}", u128::from_ne_bytes(random));
    let mut segments: VecDeque<Segment> = parts
        .iter()
        .map(|(offset, length)| {
            let range = content_range(*offset, *length, whole);
            let text = format!(
                "\r\n--{boundary}\r\nContent-Type: {media}\r\nContent-Range: {range}\r\n\r\n"
            );
            Segment { text, offset: *offset, length: *length }
        })
        .collect();
    segments.push_back(Segment { text: format!("\r\n--{boundary}--\r\n"), offset: 0, length: 0 });
    Ok((format!("multipart/byteranges; boundary={boundary}").into(), segments))
}

fn failed(_: &io::Error) -> Refusal {
    Status::InternalServerError.into()
}

fn content_type(name: &Path) -> Cow<'static, str> {
    match mime_guess::from_path(name).first_raw() {
        None => "application/octet-stream".into(),
        Some(text) if text.starts_with("text/") => format!("{text}; charset=utf-8").into(),
        Some(other) => other.into(),
    }
}
