//! The disk or the machine gives up at every single operation of a run with everything in it.

use palco_replica::storage::{Break, Memory};

use super::scribe::Scribe;

/// Files that fill up, compactions, an end and a new beginning; how many compactions there were. Stops at the first
/// error, as a node does.
fn run(scribe: &mut Scribe) -> Result<u32, Box<dyn std::error::Error>> {
    let mut compactions = 0;
    for part in 0..3 {
        for _ in 0..20 {
            scribe.append(3)?;
            scribe.flush()?;
            compactions += u32::from(scribe.compact());
        }
        if part == 1 {
            scribe.close()?;
        }
        scribe.reopen()?;
    }
    Ok(compactions)
}

/// What a node does that was started again.
fn go_on(scribe: &mut Scribe) -> Result<(), Box<dyn std::error::Error>> {
    for _ in 0..8 {
        scribe.append(3)?;
        scribe.flush()?;
        scribe.compact();
    }
    scribe.close()?;
    Ok(scribe.reopen()?)
}

fn strike_everywhere(how: Break) {
    let mut scribe = Scribe::new(Memory::default());
    let before = scribe.disk.operations();
    let compactions = run(&mut scribe).expect("nothing breaks");
    assert!(compactions > 3, "{compactions} compactions");
    let operations = scribe.disk.operations() - before;
    assert!(operations > 300, "{operations} operations");
    for well in 0..operations {
        let mut scribe = Scribe::new(Memory::default());
        scribe.disk.break_at(None, well, how);
        // A compaction that fails stops nobody.
        drop(run(&mut scribe));
        scribe.disk.crash(well).expect("the inner disk is well");
        scribe.reopen().unwrap_or_else(|error| panic!("operation {well}: {error}"));
        go_on(&mut scribe).unwrap_or_else(|error| panic!("after operation {well}: {error}"));
    }
}

#[test]
fn the_machine_may_stop_before_any_operation() {
    strike_everywhere(Break::OffBefore);
}

#[test]
fn the_machine_may_stop_after_any_operation() {
    strike_everywhere(Break::OffAfter);
}

#[test]
fn any_operation_may_fail() {
    strike_everywhere(Break::Failure);
}

#[test]
fn any_operation_may_seem_to_have_failed() {
    strike_everywhere(Break::FailureAfter);
}

#[test]
fn the_disk_may_be_full_at_any_operation() {
    strike_everywhere(Break::Full);
}

#[test]
fn any_write_may_be_short() {
    strike_everywhere(Break::Short);
}
