//! What checks do in their namespace: make files, run programs, talk to ports, wait for what others bring about.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Against hanging; nothing that works comes near it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A datagram is sent again after this.
const AGAIN: Duration = Duration::from_millis(500);
const DATAGRAMS_MAX: usize = 10;

/// A process of this check; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    log: File,
}

impl Server {
    /// What it says goes to a file.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let log = tempfile::NamedTempFile::new()?;
        let (stdout, stderr) = (log.as_file().try_clone()?, log.as_file().try_clone()?);
        let program = format!("{:?}", command.get_program());
        let child =
            command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().context(program)?;
        // Opened anew, for its position is then its own.
        let log = log.reopen()?;
        Ok(Self { child, log })
    }

    /// Waits until so many TCP ports of the namespace are listened on.
    pub(crate) fn until_listening(&mut self, count: usize) -> Result<()> {
        let ready = until(&format!("{count} listeners"), || {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended: {status}");
            }
            Ok(listeners()? >= count)
        });
        ready.with_context(|| self.said().unwrap_or_default())
    }

    /// What it has said since it was asked last.
    pub(crate) fn said(&mut self) -> Result<String> {
        let mut said = Vec::new();
        self.log.read_to_end(&mut said)?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        run("kill", &[signal, &self.child.id().to_string()]).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// On how many TCP ports somebody listens.
pub(crate) fn listeners() -> io::Result<usize> {
    let tables = fs::read_to_string("/proc/net/tcp")? + &fs::read_to_string("/proc/net/tcp6")?;
    let mut ports = BTreeSet::new();
    for line in tables.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.get(3) == Some(&"0A") {
            ports.extend(words[1].split(':').nth(1));
        }
    }
    Ok(ports.len())
}

/// Waits for a condition that another process brings about.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !holds()? {
        ensure!(begun.elapsed() < PATIENCE, "never came true: {what}");
        std::thread::yield_now();
    }
    Ok(())
}

/// Makes a file and the directories above it.
pub(crate) fn write(path: &str, contents: impl AsRef<[u8]>) -> Result<()> {
    if let Some(directory) = Path::new(path).parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, contents).with_context(|| path.to_owned())
}

/// Adds to a file of the namespace.
pub(crate) fn append(path: &str, line: &str) -> Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    Ok(writeln!(file, "{line}")?)
}

/// Bytes that a file transfer must not change.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * at / 7 % 251) as u8).collect()
}

/// Runs a client, which must succeed; its standard output.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String> {
    run_with(program, arguments, "")
}

/// The same with something on its standard input.
pub(crate) fn run_with(program: &str, arguments: &[&str], input: &str) -> Result<String> {
    let called = || format!("{program} {}", arguments.join(" "));
    let mut file = tempfile::tempfile()?;
    file.write_all(input.as_bytes())?;
    file.rewind()?;
    // Killed when it hangs, that the next check has its turn.
    let output = Command::new("timeout")
        .args(["--kill-after=5", &PATIENCE.as_secs().to_string(), program])
        .args(arguments)
        .current_dir("/tmp")
        .stdin(file)
        .output()
        .with_context(called)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {}\n{said}{complaint}", called(), output.status);
    Ok(said)
}

/// The shell runs this, and must succeed.
pub(crate) fn shell(script: &str) -> Result<String> {
    run("sh", &["-ec", script])
}

/// A text must have this in it.
pub(crate) fn expect(text: &str, wanted: &str) -> Result<()> {
    ensure!(text.contains(wanted), "no {wanted:?} in {text:?}");
    Ok(())
}

pub(crate) fn connect(port: u16) -> Result<TcpStream> {
    connect_to("127.0.0.1", port)
}

pub(crate) fn connect_to(address: &str, port: u16) -> Result<TcpStream> {
    let stream =
        TcpStream::connect((address, port)).with_context(|| format!("{address} port {port}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Says something, then no more, and hears what comes until the other side ends too.
pub(crate) fn talk(port: u16, request: &[u8]) -> Result<Vec<u8>> {
    let mut stream = connect(port)?;
    stream.write_all(request)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Says a line to something that echoes, and hears it.
pub(crate) fn converse(stream: &mut TcpStream) -> Result<()> {
    let line = *b"Enter a ghost.\n";
    stream.write_all(&line)?;
    let mut heard = [0; 15];
    stream.read_exact(&mut heard)?;
    ensure!(heard == line, "{heard:?}");
    Ok(())
}

/// Sends a datagram until one comes back.
pub(crate) fn ask_by_datagram(port: u16, request: &[u8]) -> Result<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(AGAIN))?;
    let mut answer = vec![0; 65_536];
    for _ in 0..DATAGRAMS_MAX {
        socket.send(request)?;
        match socket.recv(&mut answer) {
            Ok(length) => {
                answer.truncate(length);
                return Ok(answer);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("no answer to {DATAGRAMS_MAX} datagrams")
}

/// Is there a process with this name?
pub(crate) fn runs(name: &str) -> Result<bool> {
    for entry in fs::read_dir("/proc")? {
        // A process may end while it is looked at.
        let comm = fs::read_to_string(entry?.path().join("comm")).unwrap_or_default();
        if comm.trim_end() == name {
            return Ok(true);
        }
    }
    Ok(false)
}
