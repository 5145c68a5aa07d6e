//! The command line of `palco fetch`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use palco_client::FileProtocol;
use palco_client::files::PARALLEL_MAX;

#[derive(clap::Args, Debug)]
pub(crate) struct Fetch {
    /// What to fetch: files, and directories for the files in them, not below
    #[arg(value_name = "PATH", default_value = "/")]
    pub(crate) paths: Vec<String>,
    /// The server, as host:port
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: String,
    /// How the server is asked
    #[arg(long, value_name = "PROTOCOL", default_value = "http", value_parser = protocols())]
    pub(crate) protocol: FileProtocol,
    /// How many files at once, each on a connection of its own; several numbers are compared, in rounds
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,8", value_parser = parallel)]
    pub(crate) parallel: Vec<usize>,
    /// How often everything is fetched with each number; the fastest round counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// Write the files into this directory; what is there is replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
}

fn protocols() -> impl TypedValueParser<Value = FileProtocol> {
    PossibleValuesParser::new(FileProtocol::ALL.map(FileProtocol::name)).map(|name| {
        let is_it = |protocol: &FileProtocol| protocol.name() == name;
        FileProtocol::ALL.into_iter().find(is_it).expect("its own name")
    })
}

fn parallel(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=PARALLEL_MAX).contains(count));
    count.ok_or_else(|| format!("`{text}` is not a number from 1 to {PARALLEL_MAX}"))
}
