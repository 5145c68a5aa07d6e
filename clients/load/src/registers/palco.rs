//! Nodes of palco: started, made members, replaced, with the commands that people use.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use palco_processes::Launch;
use serde_json::Value;

use crate::actors::Refusal;
use crate::server::{Server, said_by};

/// The cluster that nodes are started for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'a> {
    pub(super) program: &'a Path,
    pub(super) directory: &'a Path,
    pub(super) is_durable: bool,
}

/// Starts n1, n2 and n3, and makes them members.
pub(super) fn start(
    program: Option<&Path>,
    directory: &Path,
    is_durable: bool,
) -> Result<Vec<Server>, Refusal> {
    let unknown = "only the program `palco` can start it: palco bench registers";
    let program = program.ok_or_else(|| Refusal::Absent(unknown.to_owned()))?;
    let site = Site { program, directory, is_durable };
    let mut servers = vec![site.node("n1", &[])?];
    let others = site.nodes(&["n2", "n3"], &servers)?;
    servers.extend(others);
    site.reconfigure(&servers[0], &["--members".to_owned(), "n1,n2,n3".to_owned()])?;
    Ok(servers)
}

impl Site<'_> {
    /// Starts nodes that join `servers`, and returns when everybody is connected with everybody.
    pub(super) fn nodes(self, names: &[&str], servers: &[Server]) -> Result<Vec<Server>, Refusal> {
        let start = |name: &&str| self.node(name, servers);
        let mut started = names.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        let all = servers.len() + started.len();
        for server in &mut started {
            server.until("it is connected with all", |server| self.connected(server) >= all)?;
        }
        Ok(started)
    }

    /// Starts one node, the first one if there is nobody to join.
    fn node(self, name: &str, servers: &[Server]) -> Result<Server, Refusal> {
        let launch = Launch::new(self.program).args(["node", "--json", "--dashboard", "off"]);
        let launch = launch.args(["--name", name, "--listen", "127.0.0.1:0"]);
        let launch =
            launch.args(["--resp", "127.0.0.1:0", "--data"]).arg(self.directory.join(name));
        let launch = if self.is_durable { launch } else { launch.arg("--memory") };
        let launch = match servers.first() {
            Some(first) => launch.arg("--join").arg(joined_by(&first.said)?),
            None => launch.arg("--found"),
        };
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server::launch(name, launch, self.directory, nowhere, None)?;
        let said = said_by(name, self.directory);
        server.until("it says where it is", |server| {
            server.said = announced(&fs::read_to_string(&said).unwrap_or_default());
            !server.said.is_null()
        })?;
        let unclear = || Refusal::failed(format_args!("{name} does not say where it is"));
        let resp = server.said["resp"].as_str().and_then(|resp| resp.parse().ok());
        server.clients = resp.ok_or_else(unclear)?;
        server.others = Some(port(&joined_by(&server.said)?).ok_or_else(unclear)?);
        Ok(server)
    }

    /// Makes others members; returns when the old ones are not needed any more.
    fn reconfigure(self, by: &Server, wish: &[String]) -> Result<(), Refusal> {
        said_by_command(self.reconfiguring(by, wish)).map(drop)
    }

    /// The command that makes others members, asked of this node.
    pub(super) fn reconfiguring(self, by: &Server, wish: &[String]) -> Command {
        let mut command = self.about(by, &["reconfigure", "--within", "10m"]);
        command.args(wish);
        command
    }

    /// How many nodes this one is connected with, itself among them; none while it cannot be asked.
    fn connected(self, node: &Server) -> usize {
        let status = self.about(node, &["register", "status", "--json"]);
        let Ok(view) = said_by_command(status) else { return 0 };
        let view: Value = serde_json::from_str(&view).unwrap_or_default();
        let nodes = view["nodes"].as_array().map_or(&[][..], Vec::as_slice);
        nodes.iter().filter(|node| node["is_connected"] == true).count()
    }

    /// A command about this node.
    fn about(self, node: &Server, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(arguments).arg("--control").arg(node.directory.join("control.sock"));
        command
    }
}

/// What a command prints; if it fails, what it says is why.
pub(super) fn said_by_command(mut command: Command) -> Result<String, Refusal> {
    let output = command.stdin(Stdio::null()).output().map_err(Refusal::failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let what = command.get_args().next().unwrap_or_default().to_string_lossy();
    Err(Refusal::failed(format_args!("palco {what}: {said}")))
}

/// What others join this node by.
fn joined_by(said: &Value) -> Result<String, Refusal> {
    let join = said["join"][0].as_str().map(str::to_owned);
    join.ok_or_else(|| Refusal::failed("a node does not say what others join it by"))
}

/// The line in JSON among what a node has said, if it is whole.
fn announced(said: &str) -> Value {
    let mut lines = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let line = lines.find(|line| line.starts_with('{')).unwrap_or_default();
    serde_json::from_str(line).unwrap_or_default()
}

/// Of `/ip4/127.0.0.1/tcp/7401/p2p/12D3…`.
fn port(address: &str) -> Option<u16> {
    address.split_once("/tcp/")?.1.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_an_address() {
        assert_eq!(port("/ip4/127.0.0.1/tcp/7401/p2p/12D3Koo"), Some(7401));
        assert_eq!(port("/ip4/127.0.0.1/udp/7401"), None);
    }

    #[test]
    fn only_a_whole_line_announces_a_node() {
        assert_eq!(announced("talk\n{\"resp\":\"x\"}"), Value::Null);
        assert_eq!(announced("talk\n{\"resp\":\"x\"}\n")["resp"], "x");
    }
}
