//! One line, in the words of each family of superservers.

/// Whose configuration it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenBSD's inetd.conf, which is Debian's.
    Openbsd,
    /// That of GNU inetutils.
    Gnu,
    /// NetBSD's.
    Netbsd,
    /// FreeBSD's.
    Freebsd,
    /// xinetd.conf.
    Xinetd,
}

/// A line of the table: `[address:]service socket protocol wait user[.group] internal|path [argument ...]`.
struct Line<'a> {
    address: Option<&'a str>,
    service: &'a str,
    socket: &'a str,
    protocol: &'a str,
    wait: &'a str,
    user: &'a str,
    group: Option<&'a str>,
    program: &'a str,
    arguments: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        let mut words = line.split_whitespace();
        let mut word = || words.next().expect("a line of the table has six words or more");
        let (name, socket, protocol, wait, account, program) =
            (word(), word(), word(), word(), word(), word());
        let (address, service) = name
            .split_once(':')
            .map_or((None, name), |(address, service)| (Some(address), service));
        let (user, group) =
            account.split_once('.').map_or((account, None), |(user, group)| (user, Some(group)));
        let arguments = words.collect();
        Self { address, service, socket, protocol, wait, user, group, program, arguments }
    }

    fn is_mux(&self) -> bool {
        self.service.starts_with("tcpmux")
    }

    /// As BSD writes it, with what the families differ in.
    fn inetd(&self, protocol: &str, group_mark: char) -> String {
        let address = self.address.map(|address| format!("{address}:")).unwrap_or_default();
        let group = self.group.map(|group| format!("{group_mark}{group}")).unwrap_or_default();
        let Self { service, socket, wait, user, program, .. } = self;
        let arguments = self.arguments.join(" ");
        format!(
            "{address}{service}\t{socket} {protocol} {wait}\t{user}{group}\t{program} {arguments}\n"
        )
    }

    /// xinetd knows no argument 0, except where it is told that the names are in the arguments.
    fn xinetd(&self, protocol: &str) -> String {
        let mut types = Vec::new();
        let mut flags = Vec::new();
        let mut attributes = Vec::new();
        let mut name = self.service;
        if let Some(muxed) = self.service.strip_prefix("tcpmux/") {
            name = muxed.trim_start_matches('+');
            types.extend([if muxed == name { "TCPMUX" } else { "TCPMUXPLUS" }, "UNLISTED"]);
        } else if name.parse::<u16>().is_ok() {
            types.push("UNLISTED");
            attributes.push(("port", name.to_owned()));
        }
        if self.program == "internal" {
            types.push("INTERNAL");
        } else {
            attributes.push(("server", self.program.to_owned()));
            let names_itself = self.program.rsplit('/').next() == self.arguments.first().copied();
            if !names_itself {
                flags.push("NAMEINARGS");
            }
            attributes.push(("server_args", self.arguments[usize::from(names_itself)..].join(" ")));
        }
        let wait = if self.wait == "wait" { "yes" } else { "no" };
        attributes.extend([
            ("id", format!("{name}-{}", self.protocol)),
            ("socket_type", self.socket.to_owned()),
            ("protocol", protocol.to_owned()),
            ("wait", wait.to_owned()),
            ("user", self.user.to_owned()),
        ]);
        attributes.extend(self.group.map(|group| ("group", group.to_owned())));
        attributes.extend(self.address.map(|address| ("bind", address.to_owned())));
        attributes.push(("type", types.join(" ")));
        flags.extend((self.protocol == "tcp46").then_some("IPv6"));
        // xinetd reads arguments by the flags that it has read before them.
        attributes.insert(0, ("flags", flags.join(" ")));
        attributes.retain(|(_, value)| !value.is_empty());
        let attributes: String =
            attributes.iter().map(|(name, value)| format!("    {name} = {value}\n")).collect();
        format!("service {name}\n{{\n{attributes}}}\n")
    }
}

impl Dialect {
    /// A line of the table as this family writes it; none, when it has no words for that.
    pub(crate) fn write(self, line: &str) -> Option<String> {
        let line = Line::read(line);
        let protocol = self.protocol(line.protocol)?;
        let says = match self {
            Self::Openbsd => !line.is_mux(),
            Self::Netbsd | Self::Xinetd => true,
            Self::Gnu | Self::Freebsd => line.address.is_none(),
        };
        says.then(|| match self {
            Self::Openbsd | Self::Gnu => line.inetd(protocol, '.'),
            Self::Netbsd | Self::Freebsd => line.inetd(protocol, ':'),
            Self::Xinetd => line.xinetd(protocol),
        })
    }

    /// In the table, `tcp` and `udp` are IPv4, `tcp46` is both families, `tcp6only` is IPv6.
    fn protocol(self, protocol: &str) -> Option<&str> {
        Some(match (protocol, self) {
            ("tcp", Self::Openbsd) => "tcp4",
            ("udp", Self::Openbsd) => "udp4",
            ("tcp46", Self::Openbsd | Self::Xinetd) => "tcp",
            ("tcp46", Self::Gnu) => "tcp6",
            ("tcp46", Self::Netbsd) => return None,
            ("tcp6only", Self::Openbsd | Self::Netbsd | Self::Freebsd) => "tcp6",
            ("tcp6only", Self::Xinetd) => return None,
            ("unix", Self::Gnu | Self::Xinetd) => return None,
            (same, Self::Openbsd | Self::Gnu | Self::Netbsd | Self::Freebsd | Self::Xinetd) => same,
        })
    }

    /// As `palco inetd --dialect` knows it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Openbsd => "openbsd",
            Self::Gnu => "gnu",
            Self::Netbsd => "netbsd",
            Self::Freebsd => "freebsd",
            Self::Xinetd => "xinetd",
        }
    }
}
