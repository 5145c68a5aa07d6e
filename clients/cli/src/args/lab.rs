//! `palco lab`: experiments whose outcome can be told beforehand, and is checked.

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Lab {
    /// Pipes in four modes: what is delivered, lost, read in vain, and who waits for whom
    ///
    /// Two processes and a pipe of one page (1024 numbers of 4 bytes), 5000 numbers to hand over. Each end either blocks or
    /// has O_NONBLOCK, and either side is the slow one: eight lines. Both programs are careless on purpose: the writer
    /// forgets what is refused, the reader handles its variable after every read, whether anything was read or not.
    ///
    /// Nobody sleeps and hopes. The slow side acts only when the kernel says that the eager one can do no more: its thread
    /// sleeps in the call, or it has been refused. So each count is exact and the same in every run; only times differ.
    /// That a call blocked is known from the kernel's count of voluntary switches, not from a clock.
    ///
    /// Before you look, guess: who loses messages, and how many? How often does the reader look in vain, and what does it
    /// handle then? Below the modes stand the facts that answer it: how much fits, what is all or nothing, what the end
    /// of a pipe looks like from both sides.
    ///
    /// Exit code 3 if this kernel does otherwise than explained.
    ///
    /// Examples:
    ///   palco lab pipes
    ///   palco lab pipes --markdown >pipes.md
    ///   palco lab pipes --json | jq '.modes[] | select(.textbook == "wrong")'
    #[command(verbatim_doc_comment)]
    Pipes {
        /// Print Markdown
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
}
