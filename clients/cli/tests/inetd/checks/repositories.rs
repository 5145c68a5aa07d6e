//! Daemons that serve repositories: git, CVS.

use anyhow::Result;

use super::{Check, Group};
use crate::world::{expect, run, shell, write};

pub(super) const GROUPS: &[Group] = &[
    Group {
        lines: &[
            "git stream tcp nowait nobody /usr/bin/git git daemon --inetd --export-all --base-path=/srv/git",
        ],
        prepare: prepare_git,
        checks: &[
            Check { promise: "git lists the heads of a repository", ask: git_ls_remote },
            Check { promise: "git clones a repository", ask: git_clone },
        ],
    },
    Group {
        lines: &[
            "cvspserver stream tcp nowait root /usr/bin/cvs cvs -f --allow-root=/srv/cvs pserver",
        ],
        prepare: prepare_cvs,
        checks: &[Check { promise: "cvs logs in and checks a module out", ask: cvs }],
    },
];

/// The owner is the daemon's user, else git distrusts the repository.
fn prepare_git() -> Result<()> {
    write("/srv/source/play.txt", "Enter a ghost.\n")?;
    let script = "
        mkdir /srv/git
        cd /srv/source
        git init -q -b stage
        git add play.txt
        git -c user.name=prompter -c user.email=prompter@example.org commit -q -m 'Act one'
        git clone -q --bare . /srv/git/play.git
        chown -R nobody /srv/git";
    shell(script).map(drop)
}

fn git_ls_remote() -> Result<()> {
    expect(&run("git", &["ls-remote", "git://127.0.0.1/play.git"])?, "refs/heads/stage")
}

fn git_clone() -> Result<()> {
    run("git", &["clone", "-q", "git://127.0.0.1/play.git", "play"])?;
    expect(&std::fs::read_to_string("/tmp/play/play.txt")?, "Enter a ghost.")
}

fn prepare_cvs() -> Result<()> {
    let script = "
        cvs -d /srv/cvs init
        mkdir /srv/cvs/play
        chmod -R a+rwX /srv/cvs
        cd /srv/source
        cvs -Q -d /srv/cvs import -m 'Act one' -I .git play prompter start
        touch /home/visitor/.cvspass";
    shell(script)?;
    write("/srv/cvs/CVSROOT/passwd", "anonymous::nobody\n")
}

fn cvs() -> Result<()> {
    let root = ":pserver:anonymous@127.0.0.1:/srv/cvs";
    expect(&run("cvs", &["-d", root, "version"])?, "Server: Concurrent Versions System")?;
    run("cvs", &["-Q", "-d", root, "checkout", "-d", "cvs.copy", "play"])?;
    expect(&std::fs::read_to_string("/tmp/cvs.copy/play.txt")?, "Enter a ghost.")
}
