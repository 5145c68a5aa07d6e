//! One node: a process of `palco node`, its directory, and what is done to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use palco_processes::Signal;
use palco_rambo::NodeId;
use palco_replica::ClusterView;
use serde::Deserialize;

use crate::VerifyError;
use crate::disk::Disk;
use crate::ground::Ground;
use crate::process::{LOOK_EVERY, Process, output};

/// Where nodes reach each other.
const NODES_PORT: u16 = 7401;

/// Where clients reach a node.
const CLIENTS_PORT: u16 = 6380;

/// Who has not said where it is by then does not start.
const START_WITHIN: Duration = Duration::from_secs(30);

/// How long a command about a node may take that only asks.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A node, whether it runs or not. Its process is ended before its disk is taken away.
#[derive(Debug)]
pub(crate) struct Node {
    /// Which, from 0.
    pub(crate) place: usize,
    pub(crate) name: String,
    /// Who it is to others: the key that it proves.
    pub(crate) key: String,
    /// Its number in configurations, once it has said so.
    pub(crate) id: Option<NodeId>,
    pub(crate) is_paused: bool,
    process: Option<Process>,
    data: PathBuf,
    said: PathBuf,
    pub(crate) disk: Option<Disk>,
}

/// What it needs to know of the others to start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Others<'a> {
    pub(crate) program: &'a Path,
    pub(crate) ground: &'a Ground,
    pub(crate) password: &'a Path,
    /// Places and keys of all others.
    pub(crate) peers: &'a [(usize, String)],
    pub(crate) founds: bool,
}

/// How a node is asked and told, by its control socket.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    program: PathBuf,
    socket: PathBuf,
}

/// What a node says when it has started.
#[derive(Deserialize)]
struct Said {
    node: NodeId,
}

impl Node {
    /// Its directory is made below `directory`, on a disk of its own if that is wanted. It does not run yet.
    pub(crate) fn new(
        place: usize,
        directory: &Path,
        program: &Path,
        has_disk: bool,
    ) -> Result<Self, VerifyError> {
        let name = format!("n{}", place + 1);
        let disk = has_disk.then(|| Disk::make(directory, &name)).transpose()?;
        let (data, said) =
            (directory.join(&name).join("data"), directory.join(format!("{name}.said")));
        let (key, id, process) = (String::new(), None, None);
        let mut node = Self { place, name, key, id, is_paused: false, process, data, said, disk };
        node.make_key(program)?;
        Ok(node)
    }

    fn make_key(&mut self, program: &Path) -> Result<(), VerifyError> {
        let mut command = Command::new(program);
        command.args(["node", "--print-key", "--data"]).arg(&self.data);
        output(command, ANSWER_WITHIN)?.trim().clone_into(&mut self.key);
        Ok(())
    }

    /// Where clients reach it.
    pub(crate) fn gateway(&self, ground: &Ground) -> String {
        format!("{}:{CLIENTS_PORT}", ground.address(self.place))
    }

    /// Starts it, and returns when it says where it is.
    pub(crate) fn start(&mut self, others: Others<'_>) -> Result<(), VerifyError> {
        let Others { program, ground, password, peers, founds } = others;
        let address = ground.address(self.place);
        let mut launch = ground
            .launch(self.place, program)
            .inherit_env()
            .args(["node", "--json", "--dashboard", "off", "--name", &self.name, "--data"])
            .arg(&self.data)
            .args(["--listen", &format!("{address}:{NODES_PORT}")])
            .args(["--resp", &format!("{address}:{CLIENTS_PORT}"), "--password-file"])
            .arg(password);
        for (place, key) in peers {
            launch = launch.args(["--allow", key]);
            if !founds {
                let address = ground.address(*place);
                let contact = format!("/ip4/{address}/tcp/{NODES_PORT}/p2p/{key}");
                launch = launch.args(["--join", &contact]);
            }
        }
        if founds {
            launch = launch.arg("--found");
        }
        let process = self.process.insert(Process::start(launch, &self.said)?);
        self.is_paused = false;
        let begun = Instant::now();
        loop {
            let text = process.said();
            let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            if let Some(said) = lines.find_map(|line| serde_json::from_str::<Said>(line).ok()) {
                self.id = Some(said.node);
                return Ok(());
            }
            if process.has_ended() {
                let said = process.last_words();
                self.process = None;
                return Err(VerifyError::Ended { node: self.name.clone(), said });
            }
            if begun.elapsed() > START_WITHIN {
                let what = format!("the start of {}", self.name);
                let why = process.last_words();
                return Err(VerifyError::Late { what, within: START_WITHIN, why });
            }
            sleep(LOOK_EVERY);
        }
    }

    /// As a crash does; nothing if it does not run.
    pub(crate) fn kill(&mut self) {
        self.process = None;
        self.is_paused = false;
    }

    /// Whether it runs, paused or not.
    pub(crate) fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| !process.has_ended())
    }

    /// Whether it can be asked something.
    pub(crate) fn answers(&mut self) -> bool {
        !self.is_paused && self.runs()
    }

    /// What it said last, for whoever asks why it ended.
    pub(crate) fn last_words(&self) -> String {
        self.process.as_ref().map_or_else(String::new, Process::last_words)
    }

    /// It stands still, or goes on.
    pub(crate) fn pause(&mut self, is_paused: bool) -> Result<(), VerifyError> {
        let Some(process) = &self.process else { return Ok(()) };
        process.signal(if is_paused { Signal::SIGSTOP } else { Signal::SIGCONT })?;
        self.is_paused = is_paused;
        Ok(())
    }

    /// Everything that it kept is gone, and it is somebody new. It must not run.
    pub(crate) fn wipe(&mut self, program: &Path) -> Result<(), VerifyError> {
        let failed = VerifyError::system(format!("delete {}", self.data.display()));
        fs::remove_dir_all(&self.data).map_err(failed)?;
        self.id = None;
        self.make_key(program)
    }

    pub(crate) fn control(&self, program: &Path) -> Control {
        Control { program: program.to_owned(), socket: self.data.join("control.sock") }
    }
}

impl Control {
    /// What a command about this node prints.
    fn ask(&self, arguments: &[&str], within: Duration) -> Result<String, VerifyError> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--control").arg(&self.socket);
        output(command, within)
    }

    /// All that it knows of the cluster.
    pub(crate) fn view(&self) -> Result<ClusterView, VerifyError> {
        let said = self.ask(&["register", "status", "--json"], ANSWER_WITHIN)?;
        serde_json::from_str(&said).map_err(|error| VerifyError::Command {
            command: "palco register status --json".to_owned(),
            said: format!("not understood: {error}"),
        })
    }

    /// Lets somebody in.
    pub(crate) fn allow(&self, key: &str) -> Result<(), VerifyError> {
        self.ask(&["register", "allow", key], ANSWER_WITHIN).map(drop)
    }

    /// Others become members, through this node, or it is said why not.
    pub(crate) fn reconfigure(&self, wish: &[&str], within: Duration) -> Result<(), VerifyError> {
        let time = format!("{}ms", within.as_millis());
        let arguments = [&["reconfigure", "--within", &time][..], wish].concat();
        self.ask(&arguments, within + ANSWER_WITHIN).map(drop)
    }
}
