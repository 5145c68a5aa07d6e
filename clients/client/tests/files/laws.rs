//! Several clients of one server, each with a cache of its own, against a model that has none.

use std::collections::BTreeMap;
use std::time::Duration;

use palco_client::files::Opening;
use palco_client::{Caching, FileClient, FileError, FileProtocol, OpenFile};
use palco_files::sftp::Handles;
use proptest::prelude::*;

use crate::support::Site;

const NAMES: [&str; 3] = ["a", "b", "d/c"];
/// Short, because after a start writers wait so long.
const TERM: Duration = Duration::from_millis(100);
const LEASES: Caching = Caching::Leases { wanted: Duration::ZERO };
/// Two that hold leases, and one that keeps nothing and is not asked for any.
const CLIENTS: [Caching; 3] = [LEASES, LEASES, Caching::None];

#[derive(Clone, Debug)]
enum Step {
    Read {
        name: usize,
    },
    Open {
        name: usize,
    },
    ReadAt {
        offset: u64,
        length: usize,
    },
    WriteAt {
        offset: u64,
        length: usize,
    },
    Put {
        name: usize,
        length: usize,
    },
    Append {
        name: usize,
        length: usize,
    },
    Rename {
        from: usize,
        to: usize,
    },
    Remove {
        name: usize,
    },
    /// The server ends and is started again; what is open stays open.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    prop_oneof![
        6 => name().prop_map(|name| Step::Read { name }),
        2 => name().prop_map(|name| Step::Open { name }),
        8 => (0_u64..12_000, 1_usize..9000)
            .prop_map(|(offset, length)| Step::ReadAt { offset, length }),
        2 => (0_u64..12_000, 1_usize..5000)
            .prop_map(|(offset, length)| Step::WriteAt { offset, length }),
        2 => (name(), 0_usize..12_000).prop_map(|(name, length)| Step::Put { name, length }),
        1 => (name(), 1_usize..3000).prop_map(|(name, length)| Step::Append { name, length }),
        1 => (name(), name()).prop_map(|(from, to)| Step::Rename { from, to }),
        1 => name().prop_map(|name| Step::Remove { name }),
        1 => Just(Step::Restart),
    ]
}

/// Names lead to files, and files have contents.
#[derive(Default)]
struct Model {
    names: BTreeMap<usize, usize>,
    files: Vec<Vec<u8>>,
}

impl Model {
    fn contents(&self, name: usize) -> Option<&Vec<u8>> {
        self.names.get(&name).map(|file| &self.files[*file])
    }

    fn write(&mut self, file: usize, offset: u64, bytes: &[u8]) {
        let start = usize::try_from(offset).unwrap();
        let contents = &mut self.files[file];
        contents.resize(contents.len().max(start + bytes.len()), 0);
        contents[start..start + bytes.len()].copy_from_slice(bytes);
    }
}

/// A client and the file that it has open, with the name that it was opened by.
struct Actor {
    client: FileClient,
    open: Option<(OpenFile, usize, usize)>,
}

/// Whether a file was there, or the failure of the test.
fn there<T>(result: Result<T, FileError>) -> Result<Option<T>, TestCaseError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(FileError::NotFound { .. }) => Ok(None),
        Err(other) => Err(TestCaseError::fail(other.to_string())),
    }
}

/// Where two contents differ first.
fn difference(found: &[u8], due: &[u8]) -> String {
    let at = found.iter().zip(due).position(|(one, other)| one != other);
    let lengths = (found.len(), due.len());
    let bytes = at.map(|at| (found[at], due[at]));
    format!("{lengths:?} bytes, at {at:?} {bytes:?}")
}

/// The server ends and is started again. It finds files that were open by their names, and those by these only.
fn restart(site: &mut Site, actors: &mut [Actor], model: &Model) -> Result<(), TestCaseError> {
    site.stop();
    site.start();
    for Actor { client, open } in actors {
        let is_there =
            |(_, name, number): &(OpenFile, usize, usize)| model.names.get(name) == Some(number);
        *open = open.take().filter(is_there);
        if let Some((file, ..)) = open {
            // A read may be answered without the server.
            client.sync(file).map_err(|why| TestCaseError::fail(why.to_string()))?;
        }
    }
    Ok(())
}

fn play(actor: &mut Actor, model: &mut Model, step: &Step, fill: u8) -> Result<(), TestCaseError> {
    let Actor { client, open } = actor;
    match *step {
        Step::Read { name } => {
            let found = there(client.read(NAMES[name]))?;
            let (found, due) = (found.as_deref(), model.contents(name).map(|due| &due[..]));
            let why = || difference(found.unwrap_or_default(), due.unwrap_or_default());
            prop_assert!(found == due, "{}", why());
        }
        Step::Open { name } => {
            if let Some((file, ..)) = open.take() {
                client.close(file).unwrap();
            }
            let opened = there(client.open_with(NAMES[name], Opening::Write))?;
            prop_assert_eq!(opened.is_some(), model.names.contains_key(&name));
            let number = model.names.get(&name).copied();
            *open = opened.zip(number).map(|(file, number)| (file, name, number));
        }
        Step::ReadAt { offset, length } => {
            let Some((file, _, number)) = open else { return Ok(()) };
            let mut buffer = vec![0; length];
            let count = client.read_at(file, &mut buffer, offset).unwrap();
            let contents = &model.files[*number];
            let start = usize::try_from(offset).unwrap().min(contents.len());
            let due = &contents[start..contents.len().min(start + length)];
            prop_assert!(&buffer[..count] == due, "{}", difference(&buffer[..count], due));
        }
        Step::WriteAt { offset, length } => {
            let Some((file, _, number)) = open else { return Ok(()) };
            let bytes = vec![fill; length];
            client.write_at(file, &bytes, offset).unwrap();
            model.write(*number, offset, &bytes);
        }
        Step::Put { name, length } => {
            client.put(NAMES[name], &vec![fill; length]).unwrap();
            let number = *model.names.entry(name).or_insert_with(|| {
                model.files.push(Vec::new());
                model.files.len() - 1
            });
            model.files[number] = vec![fill; length];
        }
        Step::Append { name, length } => {
            let at = there(client.append(NAMES[name], &vec![fill; length]))?;
            prop_assert_eq!(at, model.contents(name).map(|contents| contents.len() as u64));
            if let (Some(at), Some(number)) = (at, model.names.get(&name).copied()) {
                model.write(number, at, &vec![fill; length]);
            }
        }
        Step::Rename { from, to } => {
            let renamed = there(client.rename(NAMES[from], NAMES[to]))?;
            prop_assert_eq!(renamed.is_some(), model.names.contains_key(&from));
            if let Some(number) = model.names.remove(&from) {
                model.names.insert(to, number);
            }
        }
        Step::Remove { name } => {
            let removed = there(client.remove(NAMES[name]))?;
            prop_assert_eq!(removed.is_some(), model.names.remove(&name).is_some());
        }
        Step::Restart => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_client_sees_what_all_have_done(
        steps in prop::collection::vec((0..CLIENTS.len(), step()), 1..150),
        read_ahead_blocks_max in 1_usize..9,
    ) {
        let mut site = Site::with(FileProtocol::Sftp, Handles::Journalled, TERM);
        std::fs::create_dir(site.path("d")).unwrap();
        let mut actors: Vec<Actor> = CLIENTS
            .iter()
            .map(|caching| {
                let mut options = site.options(*caching);
                options.block_bytes = 1024;
                options.read_ahead_blocks_max = read_ahead_blocks_max;
                let client = FileClient::new(site.address.to_string(), options).unwrap();
                Actor { client, open: None }
            })
            .collect();
        let mut model = Model::default();
        for (number, (actor, step)) in steps.iter().enumerate() {
            let done = match step {
                Step::Restart => restart(&mut site, &mut actors, &model),
                other => play(&mut actors[*actor], &mut model, other, number as u8),
            };
            done.map_err(|why| TestCaseError::fail(format!("step {number} {step:?}: {why}")))?;
        }
    }
}
