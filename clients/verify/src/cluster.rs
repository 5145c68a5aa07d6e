//! All nodes of a run, and who of them are members.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use palco_replica::ClusterView;

use crate::VerifyError;
use crate::client::Access;
use crate::ground::Ground;
use crate::node::{Control, Node, Others};
use crate::process::LOOK_EVERY;

/// How long nodes may take to find each other and agree.
const AGREE_WITHIN: Duration = Duration::from_secs(30);

/// How long one attempt at another configuration may take.
pub(crate) const RECONFIGURE_WITHIN: Duration = Duration::from_secs(5);

/// Nodes, and what they stand on.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// They end before the ground is taken away.
    pub(crate) nodes: Vec<Node>,
    pub(crate) ground: Arc<Ground>,
    pub(crate) program: PathBuf,
    password: PathBuf,
    /// What clients must say.
    secret: String,
    /// How many are members.
    pub(crate) size: usize,
}

impl Cluster {
    /// Starts `members` nodes that are members, and `spares` that may become some.
    pub(crate) fn start(
        program: &Path,
        directory: &Path,
        ground: Ground,
        (members, spares): (usize, usize),
        has_disks: bool,
    ) -> Result<Self, VerifyError> {
        let (secret, password) = (format!("{:032x}", secret()?), directory.join("password"));
        let failed = || VerifyError::system(format!("write {}", password.display()));
        fs::write(&password, &secret).map_err(failed())?;
        fs::set_permissions(&password, Permissions::from_mode(0o600)).map_err(failed())?;
        let (ground, program) = (Arc::new(ground), program.to_owned());
        let mut this = Self { nodes: Vec::new(), ground, program, password, secret, size: members };
        for place in 0..members + spares {
            this.nodes.push(Node::new(place, directory, &this.program, has_disks)?);
        }
        this.start_node(0, true)?;
        for place in 1..this.nodes.len() {
            this.start_node(place, false)?;
        }
        let all = this.nodes.len();
        this.until("all nodes are connected", |this| this.connected(0) == all)?;
        let names: Vec<_> = this.nodes[..members].iter().map(|node| node.name.as_str()).collect();
        this.control(0).reconfigure(&["--members", &names.join(",")], AGREE_WITHIN)?;
        Ok(this)
    }

    /// How clients reach it.
    pub(crate) fn access(&self) -> Access {
        let gateways = self.nodes.iter().map(|node| node.gateway(&self.ground)).collect();
        Access { gateways, password: Some(self.secret.clone()) }
    }

    /// Starts a node; the first one for the first time founds the cluster.
    pub(crate) fn start_node(&mut self, place: usize, founds: bool) -> Result<(), VerifyError> {
        let others = self.nodes.iter().filter(|node| node.place != place);
        let peers: Vec<_> = others.map(|node| (node.place, node.key.clone())).collect();
        let others = Others {
            program: &self.program,
            ground: &self.ground,
            password: &self.password,
            peers: &peers,
            founds,
        };
        self.nodes[place].start(others)
    }

    pub(crate) fn control(&self, place: usize) -> Control {
        self.nodes[place].control(&self.program)
    }

    /// Those that can be asked something.
    pub(crate) fn answering(&mut self) -> Vec<usize> {
        let answers = |node: &mut Node| node.answers().then_some(node.place);
        self.nodes.iter_mut().filter_map(answers).collect()
    }

    /// What the node that knows of the newest configuration knows.
    pub(crate) fn view(&mut self) -> Option<ClusterView> {
        let asked = self.answering().into_iter();
        let views = asked.filter_map(|place| self.control(place).view().ok());
        views.max_by_key(|view| view.newest().map(|newest| newest.index()))
    }

    /// The places of all members, and how many members are nobody of these nodes any more.
    pub(crate) fn members(&mut self) -> (Vec<usize>, usize) {
        let Some(view) = self.view() else { return (Vec::new(), 0) };
        let Some(newest) = view.newest() else { return (Vec::new(), 0) };
        let place = |node| self.nodes.iter().position(|known| known.id == Some(node));
        let places: Vec<_> = newest.members().iter().map(|member| place(member.node)).collect();
        let lost = places.iter().filter(|place| place.is_none()).count();
        (places.into_iter().flatten().collect(), lost)
    }

    fn connected(&self, place: usize) -> usize {
        let Ok(view) = self.control(place).view() else { return 0 };
        view.nodes.iter().filter(|node| node.is_connected).count()
    }

    /// Waits for what the nodes bring about.
    pub(crate) fn until(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), VerifyError> {
        let begun = Instant::now();
        while !holds(self) {
            if begun.elapsed() > AGREE_WITHIN {
                let why = self.nodes.iter().map(Node::last_words).collect::<Vec<_>>().join("; ");
                return Err(VerifyError::Late { what: what.to_owned(), within: AGREE_WITHIN, why });
            }
            sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Somebody who was wiped is let in by all others.
    pub(crate) fn let_in(&mut self, place: usize) {
        let key = self.nodes[place].key.clone();
        for other in self.answering().into_iter().filter(|other| *other != place) {
            // Whom one lets in, all let in.
            let _ = self.control(other).allow(&key);
        }
    }

    /// No packet is lost any more.
    pub(crate) fn heal(&self) -> Result<(), VerifyError> {
        if !self.ground.can_cut() {
            return Ok(());
        }
        self.pairs().into_iter().try_for_each(|(from, to)| self.ground.cut(from, to, false))
    }

    fn pairs(&self) -> Vec<(usize, usize)> {
        let all = 0..self.nodes.len();
        let with_all = |from| all.clone().map(move |to| (from, to)).filter(|(from, to)| from != to);
        all.clone().flat_map(with_all).collect()
    }

    /// Nothing is wrong any more: everybody runs, hears everybody, and only they are members.
    pub(crate) fn settle(&mut self) -> Result<(), VerifyError> {
        self.heal()?;
        for place in 0..self.nodes.len() {
            self.nodes[place].pause(false)?;
            if let Some(disk) = &self.nodes[place].disk {
                disk.free()?;
            }
            if !self.nodes[place].runs() {
                self.start_node(place, false)?;
            }
        }
        let all: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        let all = all.join(",");
        self.until("a configuration of all nodes is installed", |this| {
            let installed = |place| {
                this.control(place).reconfigure(&["--members", &all], RECONFIGURE_WITHIN).is_ok()
            };
            let _ = (0..this.nodes.len()).any(installed);
            matches!(this.members(), (members, 0) if members.len() == this.nodes.len())
        })
    }
}

/// What nobody guesses.
fn secret() -> Result<u128, VerifyError> {
    let mut bytes = [0; 16];
    let read = fs::File::open("/dev/urandom").and_then(|mut file| {
        use std::io::Read;
        file.read_exact(&mut bytes)
    });
    read.map_err(VerifyError::system("read /dev/urandom"))?;
    Ok(u128::from_be_bytes(bytes))
}
