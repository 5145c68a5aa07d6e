//! What is at a target. Everything here may block.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::body::{Body, FileBody};
use super::conditions::http_date;
use super::listing;
use super::request::{Method, Request};
use super::response::{HTML, Response, Status};
use super::root::{Root, status};
use super::target::Target;

/// The file that stands for its directory.
const INDEX: &str = "index.html";

/// The status that a request gets without a look at any file.
pub(super) fn refusal(request: &Request) -> Option<Status> {
    request.refused.or(match request.method {
        Method::Get | Method::Head => None,
        Method::NotAllowed => Some(Status::MethodNotAllowed),
        Method::Unknown => Some(Status::NotImplemented),
    })
}

/// Finds, opens and begins to read what `request` asks for.
pub(super) fn answer(root: &Root, request: &Request, now: SystemTime) -> Response {
    find(root, request, now).unwrap_or_else(|status| Response::error(request, now, status))
}

fn find(root: &Root, request: &Request, now: SystemTime) -> Result<Response, Status> {
    let target = Target::parse(&request.target)?;
    let relative = target.path();
    let (path, metadata) = root.find(&relative)?;
    if metadata.is_file() {
        // `/page.html/` would make the page's relative links wrong.
        let named = if target.is_directory() { Err(Status::NotFound) } else { Ok(()) };
        return named.and_then(|()| file(&path, &relative, request, now));
    }
    if !metadata.is_dir() {
        return Err(Status::NotFound);
    }
    if !target.is_directory() {
        let mut response = Response::error(request, now, Status::MovedPermanently);
        response.add("Location", target.directory_url());
        return Ok(response);
    }
    match root.find(&relative.join(INDEX)) {
        Ok((index, metadata)) if metadata.is_file() => file(&index, Path::new(INDEX), request, now),
        Err(Status::Forbidden) => Err(Status::Forbidden),
        Ok(_) | Err(_) => {
            let html = listing::page(root, &target, &path).map_err(|error| status(&error))?;
            Ok(Response::new(request, now, Status::Ok, HTML, html))
        }
    }
}

/// Answers with the file at `path`, which the client knows as `name`.
fn file(path: &Path, name: &Path, request: &Request, now: SystemTime) -> Result<Response, Status> {
    let file = File::open(path).map_err(|error| status(&error))?;
    // Of the open file, so that length and content are of the same one.
    let metadata = file.metadata().map_err(|error| status(&error))?;
    if !metadata.is_file() {
        return Err(Status::NotFound);
    }
    let modified = modified(&metadata);
    let mut fields: Vec<(&'static str, Cow<'static, str>)> =
        vec![("Accept-Ranges", "bytes".into())];
    if let Some(date) = modified.and_then(http_date) {
        fields.push(("Last-Modified", date.into()));
    }
    match request.conditions.status(modified) {
        Some(Status::NotModified) => {
            let status = Status::NotModified;
            return Ok(Response::with_body(request, now, status, fields, None, Body::Empty));
        }
        Some(failed) => return Err(failed),
        None => {}
    }
    let whole = metadata.len();
    // RFC 9110 section 14.2: a range means something for GET only.
    let range = match request.method {
        Method::Get => request.conditions.range(modified, now),
        Method::Head | Method::NotAllowed | Method::Unknown => None,
    };
    let (status_code, offset, length) = match range.map(|range| range.within(whole)) {
        None => (Status::Ok, 0, whole),
        Some(Some((offset, length))) => {
            let last = offset + length - 1;
            fields.push(("Content-Range", format!("bytes {offset}-{last}/{whole}").into()));
            (Status::PartialContent, offset, length)
        }
        Some(None) => {
            let mut response = Response::error(request, now, Status::RangeNotSatisfiable);
            response.add("Content-Range", format!("bytes */{whole}"));
            return Ok(response);
        }
    };
    fields.push(("Content-Type", content_type(name)));
    let body = if request.method == Method::Head || length == 0 {
        Body::Empty
    } else {
        Body::File(FileBody::open(file, offset, length).map_err(|error| status(&error))?)
    };
    Ok(Response::with_body(request, now, status_code, fields, Some(length), body))
}

/// The time of the last change in whole seconds, as HTTP can write it; `None` where it cannot.
fn modified(metadata: &Metadata) -> Option<SystemTime> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let whole = UNIX_EPOCH.checked_add(Duration::from_secs(since.as_secs()))?;
    http_date(whole).map(|_| whole)
}

fn content_type(name: &Path) -> Cow<'static, str> {
    match mime_guess::from_path(name).first_raw() {
        None => "application/octet-stream".into(),
        Some(text) if text.starts_with("text/") => format!("{text}; charset=utf-8").into(),
        Some(other) => other.into(),
    }
}
