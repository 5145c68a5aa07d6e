//! One command, from node to node until there is an answer or no time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::reply::{Said, said};
use super::{RegisterClient, RegisterError, RegisterOptions};
use crate::resp::{self, Value};
use crate::{Connection, Error, Limits};

/// What may be done with a command whose outcome is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing: send it again as often as need be.
    Freely,
    /// It compares with a version, so that at most one of all attempts changes anything. Its answer is null where the
    /// comparison fails.
    Compared,
    /// Sent again it would be another change: say that the outcome is unknown.
    Never,
}

/// Why an attempt has no answer.
enum Miss {
    /// It was not sent, or was answered by `-TRYAGAIN`.
    Harmless { why: String, source: Option<Box<Error>>, pace: Pace },
    /// It was sent, and nobody knows.
    Lost { why: String, tag: Option<String>, source: Option<Box<Error>> },
    /// It did not happen, and will not anywhere.
    Refused(RegisterError),
}

/// When to ask the next node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// This one is not there: the next may be.
    AtOnce,
    /// The registers need time.
    Later,
}

impl RegisterClient {
    /// Asks one node after the other. `read` takes the answer apart.
    pub(super) fn ask<T>(
        &mut self,
        repeat: Repeat,
        arguments: &[&[u8]],
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, RegisterError> {
        let name = arguments.first().copied().unwrap_or_default();
        let command = name.escape_ascii().to_string();
        let started = Instant::now();
        let mut failures = 0;
        // Nodes in a row that are not there.
        let mut gone = 0;
        // The first attempt whose outcome is not known.
        let mut lost: Option<RegisterError> = None;
        loop {
            let miss = match self.attempt(arguments) {
                Ok(Value::Null) if repeat == Repeat::Compared && lost.is_some() => {
                    // The version may be another because of that attempt.
                    return Err(lost.expect("just seen"));
                }
                Ok(value) => {
                    let address = self.address().to_owned();
                    return read(&value).ok_or_else(|| {
                        let answer = excerpt(&value);
                        match repeat {
                            Repeat::Freely => {
                                RegisterError::Unexpected { address, command, answer }
                            }
                            Repeat::Compared | Repeat::Never => {
                                let why = format!("{address} answered {answer}");
                                RegisterError::Unknown { command, why, tag: None, source: None }
                            }
                        }
                    });
                }
                Err(miss) => miss,
            };
            let (why, source, pace) = match miss {
                Miss::Refused(error) => return Err(lost.unwrap_or(error)),
                Miss::Harmless { why, source, pace } => (why, source, pace),
                Miss::Lost { why, source: Some(source), .. }
                    if repeat == Repeat::Freely && matches!(*source, Error::TooLarge { .. }) =>
                {
                    // It will not be smaller the next time.
                    let address = self.address().to_owned();
                    return Err(RegisterError::Unexpected { address, command, answer: why });
                }
                Miss::Lost { why, source, .. } if repeat == Repeat::Freely => {
                    (why, source, Pace::Later)
                }
                Miss::Lost { why, tag, source } => {
                    let error = RegisterError::Unknown {
                        command: command.clone(),
                        why: why.clone(),
                        tag,
                        source,
                    };
                    if repeat == Repeat::Never {
                        return Err(error);
                    }
                    lost.get_or_insert(error);
                    (why, None, Pace::Later)
                }
            };
            self.at = (self.at + 1) % self.nodes.len();
            gone = if pace == Pace::AtOnce { gone + 1 } else { 0 };
            let pause = if pace == Pace::AtOnce && gone % self.nodes.len() != 0 {
                Duration::ZERO
            } else {
                failures += 1;
                self.pauses.after(failures - 1)
            };
            let left = self.options.within.saturating_sub(started.elapsed());
            if left <= pause {
                let within = self.options.within;
                return Err(lost.unwrap_or(RegisterError::Unavailable {
                    command,
                    within,
                    why,
                    source,
                }));
            }
            sleep(pause);
        }
    }

    /// Asks the node whose turn it is. The connection is kept if it is as good as before.
    fn attempt(&mut self, arguments: &[&[u8]]) -> Result<Value, Miss> {
        let node = &mut self.nodes[self.at];
        let mut connection = match node.connection.take().filter(Connection::is_quiet) {
            Some(connection) => connection,
            None => open(&node.address, &self.options)?,
        };
        match resp::call(&mut connection, arguments) {
            Ok(value) => {
                node.connection = Some(connection);
                match said(value) {
                    Said::Answer(value) => Ok(value),
                    Said::Again(why) => {
                        Err(Miss::Harmless { why, source: None, pace: Pace::Later })
                    }
                    Said::Unknown { text, tag } => Err(Miss::Lost { why: text, tag, source: None }),
                    Said::Refused(text) => {
                        let command = arguments.first().copied().unwrap_or_default();
                        let command = command.escape_ascii().to_string();
                        let address = node.address.clone();
                        Err(Miss::Refused(RegisterError::Refused { address, command, text }))
                    }
                }
            }
            Err(error) => Err(missed(error)),
        }
    }
}

/// A new connection, that has said the password.
fn open(address: &str, options: &RegisterOptions) -> Result<Connection, Miss> {
    let limits = Limits {
        connect_within: options.connect_within,
        answer_within: options.answer_within,
        answer_bytes_max: options.answer_bytes_max,
    };
    let not_there = |error: Error| Miss::Harmless {
        why: error.to_string(),
        source: Some(Box::new(error)),
        pace: Pace::AtOnce,
    };
    let mut connection = Connection::open(address, limits).map_err(not_there)?;
    if let Some(password) = &options.password {
        let reply = resp::call(&mut connection, &[b"AUTH", password.as_bytes()]);
        if let Said::Refused(text) = said(reply.map_err(not_there)?) {
            let (address, command) = (address.to_owned(), "AUTH".to_owned());
            return Err(Miss::Refused(RegisterError::Refused { address, command, text }));
        }
    }
    Ok(connection)
}

/// What is known after a call that failed: nothing was sent, or it may have been carried out.
fn missed(error: Error) -> Miss {
    let why = error.to_string();
    let is_doubtful = error.is_doubtful();
    let source = Some(Box::new(error));
    if is_doubtful {
        Miss::Lost { why, tag: None, source }
    } else {
        Miss::Harmless { why, source, pace: Pace::AtOnce }
    }
}

/// Characters of an answer that an error repeats.
const EXCERPT_CHARS_MAX: usize = 160;

fn excerpt(value: &Value) -> String {
    value.to_string().chars().take(EXCERPT_CHARS_MAX).collect()
}
