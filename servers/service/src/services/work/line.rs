//! The line protocol of [`work`](super): words to requests, results to lines.

use std::fmt::Write;
use std::time::Duration;

use bytes::{Buf, BytesMut};

use super::{ALLOC_KIB_MAX, COUNT_LINES_MAX, WorkRequest, WorkResponse};
use crate::services::arguments::{micros, millis, number, quoted};
use crate::{Codec, Crash, Farewell, Malformed, Next, Service};

/// The longest line, without its end: 1 KiB. A longer one ends the connection.
pub const LINE_BYTES_MAX: usize = 1024;

/// The answer to `help`.
pub(super) const HELP: &str = "cpu <us> | hog <us> | sleep <ms> | block <ms> | offload <ms> | \
                               alloc <KiB> | leak <KiB> | count <lines> | panic <text> | crash <how> | ticket | \
                               help";
const VERBS: &str =
    "cpu, hog, sleep, block, offload, alloc, leak, count, panic, crash, ticket, help";

/// Lines of text; for any service from [`WorkRequest`] to [`WorkResponse`].
///
/// Empty lines are errors too: every line has exactly one answer, so a client can count. Only the answer of `count` is
/// more than one line; it ends with the one that begins with `ok`, or with `error` if it was interrupted.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkCodec {
    /// Bytes at the front of the input that hold no line end.
    scanned: usize,
}

impl<S: Service<Request = WorkRequest, Response = WorkResponse>> Codec<S> for WorkCodec {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<WorkRequest>, Malformed> {
        // The longest line still has room for CR LF after it.
        let window = &input[..input.len().min(LINE_BYTES_MAX + 2)];
        let Some(found) = window[self.scanned..].iter().position(|&byte| byte == b'\n') else {
            self.scanned = window.len();
            return if window.len() == LINE_BYTES_MAX + 2 { Err(too_long()) } else { Ok(None) };
        };
        let end = self.scanned + found;
        self.scanned = 0;
        let line = &window[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LINE_BYTES_MAX {
            return Err(too_long());
        }
        let request = parse(&String::from_utf8_lossy(line));
        input.advance(end + 1);
        Ok(Some(request))
    }

    fn encode(&mut self, response: &mut WorkResponse, output: &mut BytesMut) -> Next {
        match response {
            WorkResponse::Done { what, took } => done(output, what, *took),
            WorkResponse::Counting { count, took, .. } => {
                count.write("\n", output);
                if let Some(took) = took {
                    done(output, &format!("count {}", count.lines()), *took);
                }
            }
            WorkResponse::Ticket(ticket) => put(output, format_args!("ok ticket {ticket}\n")),
            WorkResponse::Help(text) => put(output, format_args!("ok {text}\n")),
            WorkResponse::Refused(why) => put(output, format_args!("error: {why}\n")),
        }
        Next::Keep
    }

    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        match why {
            Farewell::Malformed(malformed) => put(output, format_args!("error: {malformed}\n")),
            Farewell::Busy => put(output, format_args!("error: too many connections\n")),
            Farewell::Failed => put(output, format_args!("error: the call failed\n")),
            Farewell::Interrupted => put(output, format_args!("error: the call was interrupted\n")),
            Farewell::TooSlow => put(output, format_args!("error: the line took too long\n")),
            Farewell::Idle => put(output, format_args!("error: idle for too long\n")),
        }
    }
}

fn done(output: &mut BytesMut, what: &str, took: Duration) {
    put(output, format_args!("ok {what} took {} us\n", took.as_micros()));
}

fn put(output: &mut BytesMut, text: std::fmt::Arguments<'_>) {
    output.write_fmt(text).expect("a buffer grows");
}

fn too_long() -> Malformed {
    Malformed::TooLarge { what: "line", limit: LINE_BYTES_MAX }
}

/// One line without its end to a request.
fn parse(line: &str) -> WorkRequest {
    let line = line.trim();
    let (verb, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim_start();
    let request = match verb {
        "cpu" => micros(verb, argument).map(WorkRequest::Cpu),
        "hog" => micros(verb, argument).map(WorkRequest::Hog),
        "sleep" => millis(verb, argument).map(WorkRequest::Sleep),
        "block" => millis(verb, argument).map(WorkRequest::Block),
        "offload" => millis(verb, argument).map(WorkRequest::Offload),
        "alloc" => number(verb, argument, "KiB", ALLOC_KIB_MAX).map(WorkRequest::Alloc),
        "leak" => number(verb, argument, "KiB", ALLOC_KIB_MAX).map(WorkRequest::Leak),
        "count" => number(verb, argument, "lines", COUNT_LINES_MAX).map(WorkRequest::Count),
        // Escaped, because a panic's text ends up on a terminal.
        "panic" => Ok(WorkRequest::Panic(argument.escape_debug().to_string())),
        "crash" => crash(argument).map(WorkRequest::Crash),
        "ticket" if argument.is_empty() => Ok(WorkRequest::Ticket),
        "help" if argument.is_empty() => Ok(WorkRequest::Help),
        "ticket" | "help" => Err(format!("{verb} takes no argument")),
        _ => Err(format!("unknown verb {}; the verbs are {VERBS}", quoted(verb))),
    };
    request.unwrap_or_else(WorkRequest::Invalid)
}

fn crash(argument: &str) -> Result<Crash, String> {
    let (how, status) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    match (how, status.trim_start()) {
        ("segv", "") => Ok(Crash::Fault),
        ("abort", "") => Ok(Crash::Abort),
        ("memory", "") => Ok(Crash::Memory),
        ("exit", status) => status
            .parse::<u8>()
            .map(|status| Crash::Exit(status.into()))
            .map_err(|_| format!("an exit status is 0 to 255, not {}", quoted(status))),
        _ => Err(format!(
            "crash how? segv, abort, exit <status> or memory, not {}",
            quoted(argument)
        )),
    }
}
