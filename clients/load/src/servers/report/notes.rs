//! What a reader must know to read the figures rightly.

/// Whatever was measured.
pub(super) const NOTES: &[&str] = &[
    "Only rows of the same table can be compared: the same work, asked in the same dialect at the same rate. Rounds are \
     interleaved in an order that follows from the seed; every turn has a server of its own. Figures are medians over the \
     rounds, ranges go from the least round to the greatest.",
    "Response times begin when a request was due, not when it was sent: a server that stands still is charged for everybody \
     who waits meanwhile (an open loop; see Tene on coordinated omission). Percentiles of the charts are over all rounds \
     together; one that is rarer than there were answers is the slowest answer.",
    "CPU is user and system time of all processes of the server, by good answer. The clients run on the same processors, \
     alike for all; their time counts for nobody. Of short connections and of ping-pong it is taken while clients ask as \
     fast as they are answered; sparse is at the fixed rate, where a server sleeps and is woken between two requests.",
    "Balance and fairness are Jain's index (Jain, Chiu and Hawe, DEC-TR-301, 1984): 1 is equal, 1/n is one of n alone.",
    "Process control is the CPU of a short connection less that of the iterative server in the same round: of palco's \
     servers less palco's iterative server in the same place, of all others less that in C. Below 0 a design is cheaper \
     than serving one after the other.",
    "A floor is a program in C of the same design that does nothing but the calls of the design: without limits, deadlines, \
     supervision, or figures about itself. palco's servers have all of them. The target is at most 1.3 times the floor's \
     CPU, paired by round.",
    "A ranking is by the measure that decides for its work. A new group begins where a server is worse than the best of the \
     group before: the bootstrap interval of the ratio of their common rounds excludes 1, and the ratio is more than 3 %. \
     Where 0 is a good figure (MiB grown, KiB by connection) and for shares it is the difference, of more than 1 MiB, half a \
     KiB, 0.03. Fewer than three common rounds tell nobody apart.",
    "Who answered less than 95 % of the requests is not ranked under work that another measure decides, but named: its \
     figures are of the few that it answered.",
    "Two kinds of work reverse the ranking if Kendall's tau-b of the groups, who failed last, is below -0.2, or if nobody is \
     among the first of both and the best of each is more than 1.5 times worse under the other. One that has two servers \
     which the rounds tell apart in both directions is shown, with these two.",
    "Dialects: plain is bytes that come back, or lines that say what to do; HTTP is HTTP/1.1; RESP is that of Redis, version 2. \
     A server that speaks HTTP parses a request for each answer: it is not beside a server that does not.",
    "On loopback and with few processors. Over a network a connection costs round trips that are none here; with more \
     processors, designs that use one only fall behind.",
];

/// Where the comparison comes from.
pub(super) const BOOK: &str = "W. R. Stevens, B. Fenner, A. M. Rudoff, UNIX Network Programming, volume 1, third edition, \
     chapter 30, compares the process control of nine designs the same way and finds that a pool costs less than a process \
     for each client by a factor of 10 or more.";
