// A superserver that is not one, beside the made-up stage.

/** @param {number} ms */
const at = (ms) => ({ secs_since_epoch: Math.floor(ms / 1000), nanos_since_epoch: (ms % 1000) * 1e6 });
const NEVER = { secs: 0, nanos: 0 };

/** @param {string} id @param {Partial<import("../assets/types.js").Service>} more @returns {import("../assets/types.js").Service} */
function service(id, more) {
  return {
    id, origin: "/etc/inetd.conf:12", addresses: [`tcp 0.0.0.0:${id.length * 7}`], state: "listening", style: "nowait", runs: `/usr/sbin/in.${id}d`, user: "nobody", confinement: "",
    instances: [], running: 0, waiting: 0, accepted: 0, started: 0, ended: 0, failed: 0, refused: 0, limits: [], ends: [], ...more,
  };
}

/** @param {number} now @param {readonly string[]} paths of actors that stand for instances @returns {import("../assets/types.js").Services} */
export function services(now, paths) {
  const instances = paths.map((actor, i) => ({ actor, pid: 5100 + i, doing: i ? null : "reading", age_ms: 700 + 61_000 * i, rss_bytes: 2_400_000, cpu_ms: 12 * i }));
  return {
    pid: 4242, uptime_s: 7384, files: ["/etc/inetd.conf"], reloads: 1,
    services: [
      service("ftp", { instances, running: instances.length, waiting: 2, accepted: 44, started: 42, ended: 40, confinement: "no files (landlock), no new processes, 64 descriptors",
        limits: [
          { limit: "instances", max: "40", action: "defer", times: 3, last: at(now - 60_000), waited_max: { secs: 1, nanos: 500_000_000 } },
          { limit: "per-source", max: "4", action: "refuse", times: 0, last: null, waited_max: NEVER },
        ],
        ends: [{ at: at(now - 9000), pid: 5090, how: "status=0", ran_ms: 830 }, { at: at(now - 8000), pid: 5091, how: "signal=11 core", ran_ms: 12 }] }),
      service("finger", { state: "closed for 7 s: more than 100 starts in 60s", failed: 1, limits: [{ limit: "rate", max: "100 in 60s", action: "close 10s", times: 1, last: at(now - 3000), waited_max: NEVER }] }),
      service("tftp", { style: "wait", state: "off: no such program: /usr/sbin/in.tftpd", refused: 9 }),
      service("daytime", { runs: "internal daytime", user: null, ends: [{ at: at(now - 8500), pid: null, how: "status=0 received=0 sent=26", ran_ms: 0 }] }),
    ],
    remarks: ["/etc/inetd.conf:14: error: tftp: there is no program /usr/sbin/in.tftpd; install it, or comment the line out"],
    log: [
      { at: at(now - 9830), service: "ftp", event: { event: "start", pid: 5090, from: "192.0.2.7" } },
      { at: at(now - 9000), service: "ftp", event: { event: "exit", pid: 5090, how: "status=0", duration_ms: 830 } },
      { at: at(now - 8500), service: "daytime", event: { event: "start", pid: null, from: "192.0.2.8" } },
      { at: at(now - 8500), service: "daytime", event: { event: "exit", pid: null, how: "status=0", duration_ms: 0 } },
      { at: at(now - 3000), service: "finger", event: { event: "fail", reason: "cps", from: "192.0.2.9" } },
      { at: at(now - 3000), service: "finger", event: { event: "close", why: "tcp 0.0.0.0:42: cps" } },
    ],
  };
}
