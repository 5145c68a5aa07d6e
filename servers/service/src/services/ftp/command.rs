//! The words of a line.

use std::time::Duration;

use super::{FtpReply, FtpRequest};
use crate::services::arguments::{micros, millis, quoted};

/// What needs a data connection.
const TRANSFERS: &[&str] = &[
    "PASV", "PORT", "EPSV", "EPRT", "LPSV", "LPRT", "RETR", "STOR", "STOU", "APPE", "REST", "LIST",
    "NLST", "MLSD",
];
/// What needs files or accounts.
const FILES: &[&str] =
    &["DELE", "RMD", "XRMD", "MKD", "XMKD", "RNFR", "RNTO", "SMNT", "REIN", "SIZE", "MDTM", "MLST"];
const COMMANDS: &str =
    "ABOR ACCT ALLO CDUP CWD HELP MODE NOOP PASS PWD QUIT SITE STAT STRU SYST TYPE USER";
const SITE_COMMANDS: &str = "SITE SLEEP <ms>, SITE CPU <us>, SITE TICKET, SITE HELP";

/// What has become of the command before an ABOR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Before {
    /// It is over.
    #[default]
    Over,
    /// It was interrupted.
    Interrupted,
}

/// A line to a request; `before` matters to ABOR alone.
pub(super) fn parse(line: &str, before: Before) -> FtpRequest {
    let (verb, argument) = split(line);
    let shout = verb.to_ascii_uppercase();
    let says = |code, text: &str| FtpRequest::Reply(FtpReply::line(code, text));
    // Every command that is here takes an argument, must not have one, or does not care.
    match (&shout[..], argument) {
        ("USER" | "TYPE" | "MODE" | "STRU" | "CWD" | "XCWD", "") => {
            says(501, &format!("{shout} takes an argument."))
        }
        ("ABOR" | "NOOP" | "SYST" | "PWD" | "XPWD" | "CDUP" | "XCUP" | "QUIT", argument)
            if !argument.is_empty() =>
        {
            says(501, &format!("{shout} takes no argument."))
        }
        ("USER", _) => says(230, "Welcome, whoever you are; there is no password."),
        ("PASS", _) => says(230, "Welcome already."),
        ("ACCT" | "ALLO", _) => says(202, "Not needed here."),
        ("SYST", _) => says(215, "UNIX Type: L8"),
        ("TYPE", kind) => parameter(&shout, kind, &["A", "A N", "I", "L 8"]),
        ("MODE", mode) => parameter(&shout, mode, &["S"]),
        ("STRU", structure) => parameter(&shout, structure, &["F"]),
        ("NOOP", _) => says(200, "Done."),
        ("PWD" | "XPWD", _) => says(257, "\"/\" is the only directory."),
        ("CWD" | "XCWD", "/" | "." | "..") | ("CDUP" | "XCUP", _) => {
            says(250, "The only directory is /.")
        }
        ("CWD" | "XCWD", _) => says(550, "There is no other directory than /."),
        ("HELP", _) => FtpRequest::Reply(FtpReply::Lines(
            214,
            vec!["These commands are understood:".into(), COMMANDS.into(), SITE_COMMANDS.into()],
        )),
        ("STAT", "") => FtpRequest::Status,
        ("STAT", _) => no_files(&shout),
        ("SITE", argument) => site(argument),
        ("ABOR", _) => match before {
            Before::Interrupted => says(226, "The command was interrupted."),
            Before::Over => says(226, "Nothing was in progress."),
        },
        ("QUIT", _) => FtpRequest::Reply(FtpReply::Last(221, "Bye.")),
        (verb, _) if TRANSFERS.contains(&verb) => says(
            502,
            &format!(
                "{verb} needs a data connection, and this server has none: it transfers nothing."
            ),
        ),
        (verb, _) if FILES.contains(&verb) => no_files(verb),
        _ => says(500, &format!("There is no command {}; try HELP.", quoted(verb))),
    }
}

/// The first word, and what follows.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    let (verb, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (verb, argument.trim_start())
}

fn no_files(verb: &str) -> FtpRequest {
    FtpRequest::Reply(FtpReply::line(502, format!("{verb} needs files, and this server has none.")))
}

/// A transfer parameter: accepted if it is what RFC 959 has every server accept, and without effect.
fn parameter(verb: &str, value: &str, accepted: &[&str]) -> FtpRequest {
    let reply = if accepted.iter().any(|known| known.eq_ignore_ascii_case(value)) {
        FtpReply::line(200, format!("{verb} is {}.", value.to_ascii_uppercase()))
    } else {
        let known = accepted.join(", ");
        FtpReply::line(504, format!("{verb} is {known} here, not {}.", quoted(value)))
    };
    FtpRequest::Reply(reply)
}

fn site(argument: &str) -> FtpRequest {
    let (verb, argument) = split(argument);
    let shout = verb.to_ascii_uppercase();
    let named = format!("SITE {shout}");
    let request = match (&shout[..], argument) {
        ("SLEEP", ms) => millis(&named, ms).map(|ms| FtpRequest::Sleep(Duration::from_millis(ms))),
        ("CPU", us) => micros(&named, us).map(|us| FtpRequest::Cpu(Duration::from_micros(us))),
        ("TICKET", "") => Ok(FtpRequest::Ticket),
        ("HELP", "") => Ok(FtpRequest::Reply(FtpReply::line(214, SITE_COMMANDS))),
        ("TICKET" | "HELP", _) => Err(format!("{named} takes no argument")),
        ("", _) => Err(format!("SITE what? {SITE_COMMANDS}")),
        _ => {
            let text = format!("There is no command SITE {}; try SITE HELP.", quoted(verb));
            return FtpRequest::Reply(FtpReply::line(500, text));
        }
    };
    request.unwrap_or_else(|why| FtpRequest::Reply(FtpReply::line(501, format!("{why}."))))
}
