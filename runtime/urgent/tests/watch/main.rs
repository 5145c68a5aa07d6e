//! A watch whose connections belong to a child process, which is this same program; and a thread that is demoted.

mod demoted;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use palco_sys::borrow_descriptor;
use palco_urgent::{Urgent, Watch, send_urgent, take_urgent};

/// Its only argument, when this program is the child.
const CHILD: &str = "serve-one-connection";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(CHILD) {
        serve().expect("the parent reads what it is told");
        return ExitCode::SUCCESS;
    }
    let trials = vec![
        Trial::test("urgent_data_on_a_connection_of_a_child_is_heard_by_its_parent", heard),
        Trial::test("an_urgent_thread_that_was_demoted_says_so", demoted::says_so),
        Trial::test("a_watched_connection_ends_when_its_owner_ends", ended),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The child: its standard input is the watch. Says its port, and the number of the descriptor once it is watched.
fn serve() -> io::Result<()> {
    let watch = Watch::open(io::stdin().as_fd().try_clone_to_owned()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut out = io::stdout();
    writeln!(out, "{}", listener.local_addr()?.port())?;
    let (mut stream, _) = listener.accept()?;
    watch.add(&stream, 42)?;
    writeln!(out, "{}", stream.as_raw_fd())?;
    // Waiting in `read` itself would swallow the urgent byte.
    let mut polled = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::NONE)?;
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

/// A child that serves one connection, and the client's side of it.
struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    client: TcpStream,
    fd: i32,
}

impl Served {
    fn by_child_with(watch: &Watch) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(CHILD)
            .stdin(File::from(watch.file()?))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let port = number(&mut stdout)?;
        let client = TcpStream::connect(("127.0.0.1", port))?;
        let fd = number(&mut stdout)?;
        Ok(Self { child, stdout, client, fd })
    }
}

fn number<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    lines: &mut impl BufRead,
) -> io::Result<T> {
    let mut line = String::new();
    lines.read_line(&mut line)?;
    line.trim_end().parse().map_err(io::Error::other)
}

fn next(watch: &Watch) -> io::Result<Vec<u64>> {
    let mut tokens = Vec::new();
    while tokens.is_empty() {
        watch.take(8, &mut tokens)?;
    }
    Ok(tokens)
}

fn heard() -> Result<(), Failed> {
    let watch = Watch::new()?;
    let mut served = Served::by_child_with(&watch)?;
    for byte in [b'H', b'R'] {
        send_urgent(&served.client, byte)?;
        assert_eq!(next(&watch)?, [42]);
        let borrowed = borrow_descriptor(served.child.id().try_into()?, served.fd)?;
        assert_eq!(take_urgent(&borrowed)?, Urgent::Byte(byte));
    }
    drop(served.client);
    assert!(served.child.wait()?.success());
    let mut rest = String::new();
    served.stdout.read_to_string(&mut rest)?;
    assert_eq!(rest, "");
    Ok(())
}

fn ended() -> Result<(), Failed> {
    let watch = Watch::new()?;
    let mut served = Served::by_child_with(&watch)?;
    served.child.kill()?;
    served.child.wait()?;
    // The watch is still here, and does not hold back the end.
    assert_eq!(served.client.read(&mut [0])?, 0);
    let mut tokens = Vec::new();
    watch.take(8, &mut tokens)?;
    assert!(tokens.is_empty(), "{tokens:?}");
    Ok(())
}
