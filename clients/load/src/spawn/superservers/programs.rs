//! What the superservers start.

use std::path::{Path, PathBuf};

use super::client::Exchange;
use crate::compiled::Compiled;

/// The name in the reports of what is compiled here.
const STATIC: &str = "true, statically linked";

/// A program that a superserver starts for each connection.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    /// What it is told to be called.
    pub(super) arg0: &'static str,
    pub(super) exchange: Exchange,
    file: Place,
}

#[derive(Debug)]
enum Place {
    /// Of this machine.
    Installed(PathBuf),
    /// Until dropped.
    Compiled(Compiled),
}

impl Program {
    fn installed(name: &'static str, arg0: &'static str, exchange: Exchange) -> Self {
        let file = Place::Installed(Path::new("/bin").join(arg0));
        Self { name, arg0, exchange, file }
    }

    pub(super) fn path(&self) -> &Path {
        match &self.file {
            Place::Installed(path) => path,
            Place::Compiled(program) => program.path(),
        }
    }
}

/// Those that there are, and what to say about those that there are not.
pub(super) fn all() -> (Vec<Program>, Vec<String>) {
    let (mut programs, mut notes) =
        (vec![Program::installed("/bin/true", "true", Exchange::UntilEnd)], Vec::new());
    match Compiled::statically("true", "int main(void) { return 0; }\n") {
        Ok(program) => programs.push(Program {
            name: STATIC,
            arg0: "true",
            exchange: Exchange::UntilEnd,
            file: Place::Compiled(program),
        }),
        Err(error) => notes.push(format!("There is no table `{STATIC}`: {error}.")),
    }
    programs.push(Program::installed("/bin/cat, 64 bytes there and back", "cat", Exchange::Echo));
    (programs, notes)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_program_is_there_or_there_is_a_note() {
        let (programs, notes) = all();
        assert_eq!(programs.len() + notes.len(), 3);
        for program in programs.iter().filter(|program| program.exchange == Exchange::UntilEnd) {
            assert!(Command::new(program.path()).status().unwrap().success(), "{}", program.name);
        }
    }
}
