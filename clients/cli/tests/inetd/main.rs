//! The superserver with real daemons and real clients, on their real ports: one table of checks, asked of the incumbents
//! too, which shows that the checks can pass and can fail.
//!
//! Behind feature `real-daemons`: it needs root, and the directory that the script `daemons` fills. Each superserver runs in
//! a namespace of its own, in which this program is started again; nothing outside is touched.

mod checks;
mod dialect;
mod namespace;
mod palco;
mod scenario;
mod subject;
mod world;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, scenario] = &arguments[..]
        && flag == namespace::INSIDE
    {
        return scenario::inside(scenario);
    }
    if let Err(error) = namespace::check() {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    libtest_mimic::run(&Arguments::from_args(), scenario::trials()).exit_code()
}
