//! Real children. They are new runs of this very binary, so it has a `main` of its own: whoever is born a child does what
//! its birth says, anybody else runs the tests one after the other.

#[cfg(test)]
mod births;
#[cfg(test)]
mod child;
#[cfg(test)]
mod confining;
#[cfg(test)]
mod deaths;
#[cfg(test)]
mod descriptors;
#[cfg(test)]
mod enclosing;
#[cfg(test)]
mod grouping;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod launching;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: palco_sys::NotingAllocator = palco_sys::NotingAllocator;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--late") {
        // What a program must not do before it enters.
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
    }
    match palco_processes::enter() {
        Ok(Some(birth)) => child::run(birth),
        Ok(None) => {
            let tests = [
                launching::TESTS,
                descriptors::TESTS,
                births::TESTS,
                deaths::TESTS,
                confining::TESTS,
                enclosing::TESTS,
                grouping::TESTS,
            ];
            harness::run(&tests.concat())
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(70)
        }
    }
}
