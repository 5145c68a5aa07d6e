// The shapes of everything the page gets from the stage, and of its own state. Types only: this file has no code.

/** @typedef {"starting"|"idle"|"busy"|"suspending"|"suspended"|"restarting"|"stopping"|"ended"} Status */
/** @typedef {"task"|"fiber"|"thread"|"process"|"remote"} Place */
/** @typedef {{ kind: string, detail?: unknown }} ExitReason */
/** @typedef {{ count: number, p50_us: number, p99_us: number }} Quantiles */
/** @typedef {{ buckets: number[] }} Histogram */
/**
 * @typedef {object} ProcessView
 * @property {number|null} [pid]
 * @property {number|null} [rss_bytes]
 * @property {number|null} [cpu_ms]
 * @property {number|null} [age_ms]
 * @property {string|null} [confinement]
 * @property {number} recycled
 */
/**
 * @typedef {object} ActorView
 * @property {number} id
 * @property {string} path
 * @property {number|null} parent
 * @property {string} actor_type
 * @property {Place} place
 * @property {number|null} thread
 * @property {ProcessView|null} process
 * @property {Status} status
 * @property {string|null} message
 * @property {string|null} note
 * @property {number|null} running_ms
 * @property {number} queued
 * @property {number} urgent
 * @property {number} capacity
 * @property {number} sent
 * @property {number} handled
 * @property {[string, number][]} dropped
 * @property {string} restart
 * @property {number} restarts
 * @property {ExitReason|null} last_exit
 * @property {Quantiles} [wait]
 * @property {Quantiles} [handle]
 */
/**
 * @typedef {object} Totals
 * @property {number} actors
 * @property {number} threads
 * @property {number} processes
 * @property {number} sent
 * @property {number} handled
 * @property {number} dropped
 * @property {number} queued
 * @property {number} in_flight
 * @property {boolean} balanced
 * @property {number} restarts
 * @property {number} rss_bytes
 * @property {number} cpu_ms
 */
/** @typedef {{ kind: string, actor: number, path: string, text: string, since_ms: number }} Lint */
/** @typedef {{ at_ms: number, to: string, message: string, reason: string }} Letter */
/**
 * @typedef {object} LogEntry
 * @property {number} seq
 * @property {number} at_ms
 * @property {string} kind
 * @property {number} actor
 * @property {string} path
 * @property {string} text
 * @property {string} [who]
 */
/**
 * @typedef {object} StageSnapshot
 * @property {number} seq
 * @property {number} at_ms
 * @property {Totals} totals
 * @property {ActorView[]} actors
 * @property {Lint[]} lints
 * @property {LogEntry[]} log
 * @property {Letter[]} dead_letters
 */
/**
 * @typedef {object} Delta
 * @property {number} seq
 * @property {number} at_ms
 * @property {Totals} totals
 * @property {ActorView[]} changed
 * @property {number[]} gone
 * @property {Lint[]} [lints]
 * @property {Letter[]} [dead_letters]
 * @property {ServerView[]} [servers]
 */
/**
 * @typedef {object} StageInfo
 * @property {string} version
 * @property {number} pid
 * @property {number} uptime_s
 * @property {string} started_at
 * @property {number} event_loops
 * @property {boolean} can_act
 * @property {boolean} registers
 * @property {boolean} superserver
 * @property {boolean} registers
 * @property {string|null} [demo]
 */
/** @typedef {Record<string, number>} Scores */
/**
 * @typedef {object} ServerView
 * @property {string} name
 * @property {string} service
 * @property {string} model
 * @property {Place} place
 * @property {string|null} [accept_by]
 * @property {number|null} [workers]
 * @property {string} address
 * @property {string} classic_name
 * @property {string} command
 * @property {number} supervisor
 * @property {Scores} scores
 * @property {number|null} [cpu_ms]
 * @property {{ connections_max: number|null, action: string }} limits
 * @property {Quantiles|null} [latency]
 */
/**
 * @typedef {object} LoadView
 * @property {string} server
 * @property {boolean} running
 * @property {number} connections
 * @property {number} rate_per_s
 * @property {number} seconds
 * @property {string|null} [request]
 * @property {number} elapsed_ms
 * @property {number} sent
 * @property {number} answered
 * @property {number} failed
 * @property {number} in_flight
 * @property {number} per_s
 * @property {Quantiles|null} [latency]
 * @property {Histogram} histogram
 * @property {number} [cpu_ms]
 * @property {string|null} [error]
 */
/** @typedef {{ secs_since_epoch: number, nanos_since_epoch: number }} Moment */
/**
 * @typedef {object} ServiceInstance
 * @property {string} actor its path
 * @property {number|null} pid
 * @property {string|null} doing
 * @property {number|null} age_ms
 * @property {number|null} rss_bytes
 * @property {number|null} cpu_ms
 */
/**
 * @typedef {object} ServiceLimit
 * @property {string} limit
 * @property {string} max
 * @property {string} action
 * @property {number} times
 * @property {Moment|null} last
 * @property {{ secs: number, nanos: number }} waited_max
 */
/** @typedef {{ at: Moment, pid: number|null, how: string, ran_ms: number }} ServiceEnd */
/**
 * @typedef {object} Service
 * @property {string} id
 * @property {string} origin
 * @property {string[]} addresses
 * @property {string} state
 * @property {string} style
 * @property {string} runs
 * @property {string|null} user
 * @property {string} confinement
 * @property {ServiceInstance[]} instances
 * @property {number} running
 * @property {number} waiting
 * @property {number} accepted
 * @property {number} started
 * @property {number} ended
 * @property {number} failed
 * @property {number} refused
 * @property {ServiceLimit[]} limits
 * @property {ServiceEnd[]} ends the latest, oldest first
 */
/**
 * @typedef {{ event: "start", pid: number|null, from: string|null } | { event: "exit", pid: number|null, how: string, duration_ms: number }
 *   | { event: "fail", reason: string, from: string|null } | { event: "listen", address: string } | { event: "close", why: string }} ServiceEvent
 */
/** @typedef {{ at: Moment, service: string, event: ServiceEvent }} ServiceEntry */
/**
 * @typedef {object} Services
 * @property {number} pid
 * @property {number} uptime_s
 * @property {string[]} files
 * @property {number} reloads
 * @property {Service[]} services
 * @property {string[]} remarks
 * @property {ServiceEntry[]} log the latest, oldest first
 */
/** @typedef {{ added: string[], changed: string[], removed: string[] }} ServiceChanges */
/** @typedef {"not-found"|"queued"|"running"|"held"|"finished"} RequestState */
/** @typedef {"cancel"|"hold"|"resume"|"status"|{ priority: number }} RequestVerb */
/**
 * @typedef {object} RequestView
 * @property {string} request as `server/connection.number`
 * @property {RequestState} state
 * @property {number} age_ms
 * @property {string|null} peer
 * @property {Place} place
 * @property {string|null} actor its path
 * @property {number|null} nice
 */
/** @typedef {{ address: string, obtained: string, counts: { heard: number, port: Record<"connections" | "evicted" | "commands" | "wrong_keys" | "waits" | "malformed", number> } }} Urgent */
/**
 * @typedef {object} Requests
 * @property {Urgent|null} urgent
 * @property {{ name: string, requests: number }[]} servers
 * @property {RequestView[]} requests the longest first
 * @property {number} more how many there are beside those
 */
/** @typedef {{ state: RequestState, remark: "none"|{ note: string }|{ pending: string } }} RequestAnswer */
/** @typedef {{ request: string, verb: RequestVerb, answer: RequestAnswer }} RequestDone */
/** @typedef {{ node: number, weight: number }} Member */
/**
 * @typedef {object} Configuration
 * @property {number} index
 * @property {Member[]} members ascending by number
 * @property {"Majority"|{ Thresholds: { read: number, write: number } }|{ Weighted: { read: number, write: number } }|{ Grid: { columns: number } }|{ Explicit: object }} quorums
 * @property {number} proposer
 */
/** @typedef {"running"|"starting"|"suspended"|"ended"|"connected"|"not-connected"} NodeState */
/** @typedef {"preflight"|"prepare"|"propose"|"inform"|"collect"} DriveStage */
/**
 * How one shard of a node stood when it told that last.
 * @typedef {object} NodeShard
 * @property {number} shard
 * @property {number} boot which life
 * @property {number|null} base all configurations before it are removed
 * @property {number|null} newest
 * @property {boolean} lags
 * @property {number} registers
 * @property {number} operations
 * @property {DriveStage|null} driving
 */
/**
 * @typedef {object} RegisterNode
 * @property {string} name
 * @property {number} node
 * @property {NodeState} state
 * @property {boolean} is_here
 * @property {string|null} resp
 * @property {string|null} http
 * @property {{ actor: number, path: string }[]} replicas
 * @property {number|null} told_ms
 * @property {NodeShard[]} shards
 */
/**
 * @typedef {object} TimelineEntry
 * @property {number} shard
 * @property {Configuration} configuration
 * @property {number} decided_ms
 * @property {boolean} was_there
 * @property {number|null} installed_ms
 * @property {number|null} removed_ms
 * @property {{ decided_us: number, installed_us: number, phases: number }|null} took
 */
/** @typedef {{ at_ms: number, hosts: boolean, nodes: RegisterNode[], cuts: [number, number][], timeline: TimelineEntry[] }} Registers */
/** @typedef {{ node: number, tag: string|null, version: number|null, value_bytes: number|null, confirmed: boolean, newest: boolean }} Holding */
/** @typedef {{ key: string, is_text: boolean, class: "Register"|"Cas", holdings: Holding[] }} RegisterKey */
/** @typedef {{ keys: RegisterKey[], next: number|null }} RegisterKeys */
/** @typedef {{ configuration: Configuration, kind: "Read"|"Write", has_quorum: boolean }} RoundAsked */
/** @typedef {{ step: "query"|"propagate"|"prepare"|"accept", answered: number[], refused_by: number|null, configurations: RoundAsked[] }} RegisterRound */
/** @typedef {"get"|"delete"|{ set: string }} RegisterAct */
/**
 * @typedef {object} RegisterDone
 * @property {string} key
 * @property {"Register"|"Cas"} class
 * @property {number} through
 * @property {number} took_us
 * @property {{ is_done: boolean, text: string, tag: string|null, version: number|null, value: string|null }} outcome
 * @property {RegisterRound[]|null} rounds
 */
/** @typedef {{ members?: string[], replace?: { old: string, new: string }[], quorum?: string }} RegisterWish */
/** @typedef {{ stage: StageInfo, observed: StageSnapshot, servers: ServerView[] }} SnapshotBody */
/** @typedef {{ message: string, urgent: boolean, ask: boolean, from: number|null, waiting_us: number|null }} Queued */
/** @typedef {{ at_ms: number, reason: ExitReason, text: string, restarted: boolean }} ExitEntry */
/**
 * @typedef {object} WaitEdge
 * @property {number} from
 * @property {string} from_path
 * @property {number} to
 * @property {string} to_path
 * @property {string} message
 * @property {number} for_ms
 */
/** @typedef {{ edges: WaitEdge[], cycles: number[][] }} Waits */
/**
 * @typedef {object} FlowEdge
 * @property {number|null} from
 * @property {number} to
 * @property {number} per_s
 * @property {number} wait_p50_us
 * @property {string[]} types
 * @property {boolean} backpressured
 */
/** @typedef {{ window_ms: number, edges: FlowEdge[] }} Flow */
/**
 * @typedef {object} MessageRecord
 * @property {number} id
 * @property {number} trace
 * @property {number|null} cause
 * @property {number|null} from
 * @property {number} to
 * @property {string} message
 * @property {boolean} urgent
 * @property {boolean} ask
 * @property {number} sent_us
 * @property {number} begun_us
 * @property {number|null} ended_us
 * @property {string} outcome
 */
/** @typedef {{ actor: number, trace: number, what: string, at_us: number, until_us: number|null }} StepRecord */
/** @typedef {{ actor: number, path: string, actor_type: string, place: Place, lane: string }} Lifeline */
/**
 * @typedef {object} Capture
 * @property {number} from_us
 * @property {number} until_us
 * @property {Lifeline[]} lifelines
 * @property {MessageRecord[]} messages
 * @property {StepRecord[]} steps
 * @property {number} lost
 */
/** @typedef {{ mark: "live"|"stale"|"post_mortem"|"unknown", age_ms?: number }} StateMark */
/**
 * @typedef {object} ActorPageOnly
 * @property {unknown} state
 * @property {StateMark} freshness
 * @property {Queued[]} queue
 * @property {Histogram} wait_histogram
 * @property {Histogram} handle_histogram
 * @property {{ message: string, handled: number }[]} types
 * @property {ExitEntry[]} exits
 * @property {MessageRecord[]} messages
 * @property {StepRecord[]} steps
 * @property {number[]} children
 * @property {WaitEdge[]} waits_for
 * @property {WaitEdge[]} waited_for_by
 * @property {ServerView|null} [server]
 * @property {string} [request] that it is serving
 */
/** @typedef {ActorView & ActorPageOnly} ActorPage */
/** @typedef {{ effect: "done"|"pending"|"ended", message?: string|null, running_ms?: number }} Effect */
/**
 * @typedef {object} ActionAnswer
 * @property {number} actor
 * @property {string} path
 * @property {string} action
 * @property {Effect} [effect]
 * @property {{ finished: number, abandoned: number }} [drained]
 */
/**
 * What the page knows of the stage. A new object for each change; nothing in it is changed in place.
 * @typedef {object} State
 * @property {StageInfo|null} stage
 * @property {number} seq the latest snapshot or delta
 * @property {number} at_ms the stage's time of it
 * @property {Totals|null} totals
 * @property {ReadonlyMap<number, ActorView>} actors
 * @property {ReadonlyMap<number, number>} seen_at when, in the stage's time, an actor's view was made
 * @property {readonly Lint[]} lints
 * @property {readonly LogEntry[]} log
 * @property {readonly Letter[]} letters
 * @property {readonly ServerView[]} servers
 * @property {ReadonlyMap<string, LoadView>} loads
 */
/** The last report of a benchmark; the grade is A, B or C. @typedef {{ topic: string, date: string, grade: string, command: string, address: string }} Report */
/** @typedef {{ reports: Report[] }} Reports */
/** @typedef {"connecting"|"live"|"catching up"|"lost"} Connection */
/**
 * What each view is given.
 * @typedef {object} App
 * @property {import("./store.js").Store} store
 * @property {typeof import("./api.js")} api
 * @property {(text: string, kind?: "good"|"warn"|"bad", hint?: string) => void} toast
 * @property {(hash: string) => void} go
 * @property {{ capture: Capture|null }} kept what outlives a change of view
 */
/**
 * A view: made when its route is entered, drawn when something changes, left when another route is entered.
 * @typedef {object} View
 * @property {HTMLElement} el
 * @property {() => void} draw
 * @property {() => void} [leave]
 */
export {};
