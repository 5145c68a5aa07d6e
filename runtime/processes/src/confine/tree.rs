//! A seccomp filter as a tree: a handful of comparisons whatever the call, however long the list.
//!
//! A list of comparisons, as seccompiler makes it, is not only walked at every call: when a filter is installed the
//! kernel tries every system call there is on it, to remember those that are always allowed (`seccomp_cache_prepare`,
//! kernel/seccomp.c). With some seventy calls in a list that took 0.4 ms of every start of a process.

use seccompiler::{BpfProgram, sock_filter};

/// What follows a system call that is on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Errno(u16),
    /// `SIGSYS`.
    Trap,
    /// Allowed if the first argument has any of these bits, else this error.
    IfAnyBit(u32, u16),
    /// This error if the first argument has any of these bits, else allowed.
    UnlessAnyBit(u32, u16),
    /// `SIGSYS`, unless the first argument is this.
    TrapUnless(u32),
}

/// `linux/bpf_common.h` and `linux/seccomp.h`.
const LOAD_WORD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;
const JUMP_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;
const TRAP: u32 = 0x0003_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
/// Where `struct seccomp_data` has the number, the architecture and the lower half of the first argument.
const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const ARGUMENT_AT: u32 = 16;

/// The program for this architecture (`AUDIT_ARCH_…`) that answers each call as listed and allows all others. A call of
/// `foreign` or more, if that is given, is of another calling convention and a trap.
///
/// `None` if the list is too long for jumps of a byte.
pub(super) fn program(
    architecture: u32,
    foreign: Option<u32>,
    mut answers: Vec<(u32, Answer)>,
) -> Option<BpfProgram> {
    answers.sort_unstable_by_key(|(number, _)| *number);
    let mut program = vec![
        statement(LOAD_WORD, ARCHITECTURE_AT),
        jump(JUMP_EQUAL, architecture, 1, 0),
        statement(RETURN, KILL_PROCESS),
        statement(LOAD_WORD, NUMBER_AT),
    ];
    if let Some(foreign) = foreign {
        program.extend([jump(JUMP_AT_LEAST, foreign, 0, 1), statement(RETURN, TRAP)]);
    }
    program.extend(branch(&answers)?);
    Some(program)
}

/// A program for a process that has one by [`program`] already, which deals with other architectures and conventions. The
/// fewer steps there are, the sooner the kernel has tried every call.
pub(super) fn addition(answers: &[(u32, Answer)]) -> Option<BpfProgram> {
    let mut program = vec![statement(LOAD_WORD, NUMBER_AT)];
    program.extend(branch(answers)?);
    Some(program)
}

/// Calls that are in the list, or fall between two of it.
fn branch(answers: &[(u32, Answer)]) -> Option<BpfProgram> {
    match answers {
        [] => Some(vec![statement(RETURN, ALLOW)]),
        [(number, answer)] => {
            let leaf = leaf(*answer);
            let mut all = vec![jump(JUMP_EQUAL, *number, 0, u8::try_from(leaf.len()).ok()?)];
            all.extend(leaf);
            all.push(statement(RETURN, ALLOW));
            Some(all)
        }
        _ => {
            let (low, high) = answers.split_at(answers.len() / 2);
            let (first_high, _) = high.first()?;
            let (low, high) = (branch(low)?, branch(high)?);
            let mut all = vec![jump(JUMP_AT_LEAST, *first_high, u8::try_from(low.len()).ok()?, 0)];
            all.extend(low);
            all.extend(high);
            Some(all)
        }
    }
}

fn leaf(answer: Answer) -> BpfProgram {
    match answer {
        Answer::Errno(errno) => vec![statement(RETURN, ERRNO | u32::from(errno))],
        Answer::Trap => vec![statement(RETURN, TRAP)],
        Answer::IfAnyBit(bits, errno) => vec![
            statement(LOAD_WORD, ARGUMENT_AT),
            jump(JUMP_ANY_BIT, bits, 0, 1),
            statement(RETURN, ALLOW),
            statement(RETURN, ERRNO | u32::from(errno)),
        ],
        Answer::UnlessAnyBit(bits, errno) => vec![
            statement(LOAD_WORD, ARGUMENT_AT),
            jump(JUMP_ANY_BIT, bits, 0, 1),
            statement(RETURN, ERRNO | u32::from(errno)),
            statement(RETURN, ALLOW),
        ],
        Answer::TrapUnless(value) => vec![
            statement(LOAD_WORD, ARGUMENT_AT),
            jump(JUMP_EQUAL, value, 0, 1),
            statement(RETURN, ALLOW),
            statement(RETURN, TRAP),
        ],
    }
}

fn statement(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs a filter as the kernel does.
    fn run(program: &[sock_filter], architecture: u32, number: u32, argument: u32) -> u32 {
        let (mut at, mut word) = (0, 0);
        loop {
            let step = &program[at];
            at += 1;
            let holds = match step.code {
                LOAD_WORD => {
                    word = match step.k {
                        NUMBER_AT => number,
                        ARCHITECTURE_AT => architecture,
                        _ => argument,
                    };
                    continue;
                }
                RETURN => return step.k,
                JUMP_EQUAL => word == step.k,
                JUMP_AT_LEAST => word >= step.k,
                _ => word & step.k != 0,
            };
            at += usize::from(if holds { step.jt } else { step.jf });
        }
    }

    proptest! {
        #[test]
        fn every_call_gets_its_answer(
            listed in proptest::collection::btree_map(0u32..500, 0u8..5, 0..80),
            argument in prop_oneof![any::<u32>(), Just(0x1_0000)],
        ) {
            let answer = |kind| match kind {
                0 => Answer::Errno(1),
                1 => Answer::Trap,
                2 => Answer::TrapUnless(0x1_0000),
                3 => Answer::UnlessAnyBit(0x1_0000, 2),
                _ => Answer::IfAnyBit(0x1_0000, 38),
            };
            let answers = listed.iter().map(|(number, kind)| (*number, answer(*kind))).collect();
            let program = program(7, Some(1_000), answers).unwrap();
            for number in 0..501 {
                let expected = match listed.get(&number) {
                    None => ALLOW,
                    Some(0) => ERRNO | 1,
                    Some(1) => TRAP,
                    Some(2) if argument == 0x1_0000 => ALLOW,
                    Some(2) => TRAP,
                    Some(3) if argument & 0x1_0000 != 0 => ERRNO | 2,
                    Some(3) => ALLOW,
                    Some(_) if argument & 0x1_0000 != 0 => ALLOW,
                    Some(_) => ERRNO | 38,
                };
                prop_assert_eq!(run(&program, 7, number, argument), expected);
            }
            prop_assert_eq!(run(&program, 7, 1_000, 0), TRAP);
            prop_assert_eq!(run(&program, 8, 1, 0), KILL_PROCESS);
        }
    }
}
