//! A client of a store: one connection, some operations under way, every answer looked at.

use std::net::SocketAddr;

use futures_util::future::try_join_all;
use palco_client::resp::{Value, ValueParser, command};
use palco_client::{Parser, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::grpc::{Grpc, Host};
use super::store::Store;

/// Clients that share a connection of HTTP/2, at most: etcd serves several on one for less than each on its own.
const CLIENTS_PER_HOST: usize = 16;

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// The longest answer: a value of 1 MiB and what is around it.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// One client.
#[derive(Debug)]
pub(super) enum Client {
    Resp(Resp),
    Grpc(Grpc),
}

/// The Redis protocol.
#[derive(Debug)]
pub(super) struct Resp {
    stream: TcpStream,
    parser: ValueParser,
    read: Vec<u8>,
    /// What of `read` is not understood yet.
    rest: std::ops::Range<usize>,
}

/// What one client wants done at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub(super) is_set: bool,
    pub(super) keys: &'a [String],
    /// What is written, and what must be read.
    pub(super) value: &'a [u8],
}

/// Clients, evenly on all servers, and the connections that they share.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) clients: Vec<Client>,
    /// The connections that some of them share, open as long as these are there.
    pub(super) hosts: Vec<Host>,
}

impl Clients {
    /// Connects `count` clients.
    pub(super) async fn connect(
        store: Store,
        addresses: &[SocketAddr],
        count: usize,
    ) -> Result<Self, String> {
        let (mut clients, mut hosts) = (Vec::with_capacity(count), Vec::new());
        // The host of each server that has room, and how many clients it has.
        let mut open: Vec<Option<(usize, usize)>> = vec![None; addresses.len()];
        for number in 0..count {
            let server = number % addresses.len();
            if store != Store::Etcd {
                clients.push(Client::Resp(Resp::connect(addresses[server]).await?));
                continue;
            }
            let (host, sharing) = match open[server] {
                Some((host, sharing)) if sharing < CLIENTS_PER_HOST => (host, sharing),
                _ => {
                    hosts.push(Host::connect(addresses[server]).await.map_err(said)?);
                    (hosts.len() - 1, 0)
                }
            };
            open[server] = Some((host, sharing + 1));
            clients.push(Client::Grpc(Grpc::of(&hosts[host])));
        }
        Ok(Self { clients, hosts })
    }
}

impl Client {
    /// All operations of the task at once; an answer that is not the right one is an error.
    pub(super) async fn act(&mut self, task: Task<'_>) -> Result<(), String> {
        match self {
            Self::Resp(resp) => resp.act(task).await,
            Self::Grpc(grpc) => {
                let all = task.keys.iter().map(|key| ask(grpc, task, key));
                try_join_all(all).await.map(drop)
            }
        }
    }
}

async fn ask(grpc: &Grpc, task: Task<'_>, key: &str) -> Result<(), String> {
    if task.is_set {
        return grpc.put(key.as_bytes(), task.value).await;
    }
    let found = grpc.range(key.as_bytes()).await?;
    if found.as_deref() == Some(task.value) { Ok(()) } else { Err(wrong(key)) }
}

impl Resp {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(said)?;
        stream.set_nodelay(true).map_err(said)?;
        let parser = ValueParser::new(ANSWER_BYTES_MAX);
        Ok(Self { stream, parser, read: vec![0; READ_BYTES], rest: 0..0 })
    }

    async fn act(&mut self, task: Task<'_>) -> Result<(), String> {
        let mut bytes = Vec::new();
        for key in task.keys {
            bytes.extend(if task.is_set {
                command(&[b"SET", key.as_bytes(), task.value])
            } else {
                command(&[b"GET", key.as_bytes()])
            });
        }
        self.stream.write_all(&bytes).await.map_err(said)?;
        for key in task.keys {
            match self.answer().await? {
                Value::Simple(ok) if task.is_set && ok == "OK" => {}
                Value::Bulk(value) if !task.is_set && value == task.value => {}
                Value::Error(error) => return Err(error),
                _ => return Err(wrong(key)),
            }
        }
        Ok(())
    }

    async fn answer(&mut self) -> Result<Value, String> {
        loop {
            if self.rest.is_empty() {
                let read = self.stream.read(&mut self.read).await.map_err(said)?;
                if read == 0 {
                    return Err("the server has closed the connection".to_owned());
                }
                self.rest = 0..read;
            }
            match self.parser.feed(&self.read[self.rest.clone()]).map_err(|why| why.to_string())? {
                Step::More => self.rest = 0..0,
                Step::Done { answer, used } => {
                    self.rest.start += used;
                    return Ok(answer);
                }
            }
        }
    }
}

fn said(error: std::io::Error) -> String {
    error.to_string()
}

fn wrong(key: &str) -> String {
    format!("the answer for {key} is not the value that was written")
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Asks once a server that answers anything with these bytes, in two pieces.
    fn asked(is_set: bool, answer: &'static [u8]) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            assert!(stream.read(&mut [0; 1000]).unwrap() > 0);
            let (first, second) = answer.split_at(answer.len() / 2);
            stream.write_all(first).unwrap();
            stream.write_all(second).unwrap();
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let keys = ["a".to_owned(), "b".to_owned()];
        let done = runtime.block_on(async {
            let mut client = Clients::connect(Store::RedisMemory, &[address], 1).await?;
            client.clients[0].act(Task { is_set, keys: &keys, value: b"xy" }).await
        });
        server.join().unwrap();
        done
    }

    #[test]
    fn every_answer_is_looked_at() {
        assert_eq!(asked(true, b"+OK\r\n+OK\r\n"), Ok(()));
        assert_eq!(asked(false, b"$2\r\nxy\r\n$2\r\nxy\r\n"), Ok(()));
        assert!(asked(false, b"$2\r\nxy\r\n$2\r\nxz\r\n").unwrap_err().contains("for b"));
        assert!(asked(false, b"$-1\r\n$2\r\nxy\r\n").unwrap_err().contains("for a"));
        assert_eq!(asked(true, b"+OK\r\n-BUSY no\r\n"), Err("BUSY no".to_owned()));
        assert!(asked(true, b"+OK\r\n").unwrap_err().contains("closed"));
    }
}
