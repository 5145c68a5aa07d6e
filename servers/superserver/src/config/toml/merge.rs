//! A service takes from the defaults what it does not say itself, key by key.

use super::model::{Access, Banners, Confinement, Environment, Limits, Shared, Socket, WhenFull};

/// Takes over each field that is not given.
macro_rules! or_default {
    ($own:expr, $default:expr, $type:ident { $($field:ident),* $(,)? }) => {{
        let (own, default) = ($own, $default.clone());
        $type { $($field: own.$field.or(default.$field)),* }
    }};
}

impl Shared {
    /// What holds, given the defaults.
    pub(super) fn or(self, defaults: &Self) -> Self {
        let given = defaults.clone();
        let mut rlimits = given.rlimits;
        rlimits.extend(self.rlimits);
        Self {
            user: self.user.or(given.user),
            directory: self.directory.or(given.directory),
            descriptors: self.descriptors.or(given.descriptors),
            new_session: self.new_session.or(given.new_session),
            umask: self.umask.or(given.umask),
            nice: self.nice.or(given.nice),
            urgent: self.urgent.or(given.urgent),
            socket: or_default!(
                self.socket,
                defaults.socket,
                Socket {
                    backlog,
                    send_buffer,
                    receive_buffer,
                    keepalive,
                    nodelay,
                    reuse_port,
                    device,
                    mode,
                    owner,
                }
            ),
            environment: or_default!(
                self.environment,
                defaults.environment,
                Environment { inherit, login, set, ucspi, remote_host }
            ),
            limits: or_default!(
                self.limits,
                defaults.limits,
                Limits { instances, per_source, rate, rate_per_source, load, idle, end_within }
            ),
            when_full: or_default!(
                self.when_full,
                defaults.when_full,
                WhenFull { instances, per_source, rate, rate_per_source, load }
            ),
            rlimits,
            access: or_default!(
                self.access,
                defaults.access,
                Access { only_from, no_access, times, hosts_access, hosts_allow, hosts_deny }
            ),
            banners: or_default!(
                self.banners,
                defaults.banners,
                Banners { always, success, failure }
            ),
            confinement: or_default!(
                self.confinement,
                defaults.confinement,
                Confinement {
                    no_new_privileges,
                    read,
                    write,
                    no_administration,
                    no_network,
                    private_tmp,
                    memory,
                    processes,
                    cpu,
                }
            ),
        }
    }
}
