//! Known commands of redis that are not offered, and why.

use super::Reply;

/// Why, and which.
type Refused = (&'static str, &'static [&'static str]);

#[rustfmt::skip] // one reason, one paragraph
static REFUSED: &[Refused] = &[
    ("expiry needs clocks that agree", &[
        "expire", "expireat", "expiretime", "getex", "persist", "pexpire", "pexpireat", "pexpiretime", "psetex", "setex",
    ]),
    ("several keys are never changed together", &[
        "copy", "discard", "exec", "msetnx", "multi", "rename", "renamenx", "unwatch", "watch",
    ]),
    ("a node knows only the keys that it holds: use SCAN", &["keys", "randomkey"]),
    ("nothing deletes all registers at once: use SCAN and DEL", &["flushall", "flushdb"]),
    ("there is one database", &["move", "swapdb"]),
    ("a register is written as a whole: use GET and SET", &[
        "bitcount", "bitfield", "bitfield_ro", "bitop", "bitpos", "getbit", "getrange", "lcs", "setbit", "setrange", "substr",
    ]),
    ("numbers are integers: use INCRBY", &["incrbyfloat"]),
    ("values are strings", &[
        "blmove", "blmpop", "blpop", "brpop", "brpoplpush", "bzmpop", "bzpopmax", "bzpopmin",
        "geoadd", "geodist", "geohash", "geopos", "georadius", "georadiusbymember", "geosearch", "geosearchstore",
        "hdel", "hexists", "hget", "hgetall", "hincrby", "hincrbyfloat", "hkeys", "hlen", "hmget", "hmset", "hrandfield",
        "hscan", "hset", "hsetnx", "hstrlen", "hvals",
        "lindex", "linsert", "llen", "lmove", "lmpop", "lpop", "lpos", "lpush", "lpushx", "lrange", "lrem", "lset", "ltrim",
        "rpop", "rpoplpush", "rpush", "rpushx",
        "pfadd", "pfcount", "pfmerge",
        "sadd", "scard", "sdiff", "sdiffstore", "sinter", "sintercard", "sinterstore", "sismember", "smembers", "smismember",
        "smove", "sort", "sort_ro", "spop", "srandmember", "srem", "sscan", "sunion", "sunionstore",
        "xack", "xadd", "xautoclaim", "xclaim", "xdel", "xgroup", "xinfo", "xlen", "xpending", "xrange", "xread",
        "xreadgroup", "xrevrange", "xtrim",
        "zadd", "zcard", "zcount", "zdiff", "zincrby", "zinter", "zmscore", "zpopmax", "zpopmin", "zrandmember", "zrange",
        "zrangebylex", "zrangebyscore", "zrank", "zrem", "zremrangebyrank", "zremrangebyscore", "zrevrange",
        "zrevrangebyscore", "zrevrank", "zscan", "zscore", "zunion", "zunionstore",
    ]),
    ("nobody is told about keys: read them", &[
        "psubscribe", "publish", "pubsub", "punsubscribe", "spublish", "ssubscribe", "subscribe", "sunsubscribe", "unsubscribe",
    ]),
    ("there are no scripts", &["eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro", "function", "script"]),
    ("what was answered is kept already", &["bgrewriteaof", "bgsave", "lastsave", "save", "wait", "waitaof"]),
    ("there is no leader to follow: members change by reconfiguration", &[
        "asking", "cluster", "failover", "psync", "readonly", "readwrite", "replconf", "replicaof", "role", "slaveof", "sync",
    ]),
    ("the node is not run through its clients", &[
        "acl", "debug", "dump", "latency", "memory", "migrate", "module", "monitor", "object", "restore", "shutdown", "slowlog",
        "touch",
    ]),
];

/// The error for a command that redis has and registers have not; none for one that nobody knows.
pub(super) fn refusal(name: &[u8]) -> Option<Reply> {
    let known = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
    let (why, _) = REFUSED.iter().find(|(_, names)| names.iter().any(known))?;
    let name = name.to_ascii_uppercase();
    Some(Reply::refusal(format!("ERR '{}' is not offered: {why}", name.escape_ascii())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_refused_for_one_reason_and_in_any_case() {
        let mut names: Vec<_> = REFUSED.iter().flat_map(|(_, names)| *names).collect();
        let listed = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), listed);
        let expected = Reply::error("ERR 'EXPIRE' is not offered: expiry needs clocks that agree");
        assert_eq!(refusal(b"Expire"), Some(expected));
        assert_eq!(refusal(b"nothing"), None);
    }
}
