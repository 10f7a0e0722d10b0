use super::*;
use crate::domain::entry::{ViewPart, tests::stage};

const B1: BatchId = BatchId(1);
const B2: BatchId = BatchId(2);

/// Takes in an entry of `actor`, made at `time_ms`.
fn take(table: &mut BatchTable, actor: &str, time_ms: i64, kind: EntryKind) {
    table.apply(&Entry { time_ms, actor: actor.to_owned(), tool: String::new(), kind });
}

fn staged(table: &mut BatchTable, supersedes: Option<BatchId>) -> BatchId {
    let id = table.next_id();
    let stage = Stage { supersedes, ..stage(id) };
    take(table, "ann", 0, EntryKind::Stage(Box::new(stage)));
    id
}

fn decided(table: &mut BatchTable, decision: Result<Decision, Refusal>) {
    take(table, "ann", 7, EntryKind::Decision(decision.unwrap()));
}

fn confirm() -> Command {
    let by = Confirmer { actor: "ann".to_owned(), two_person: false };
    Command::Confirm { token: Digest([1; 32]), base: Position(1), by }
}

fn discard() -> Command {
    Command::Discard { reason: None }
}

fn roll_back() -> Command {
    Command::RollBack { reason: None }
}

fn reinstate() -> Command {
    Command::Reinstate { reason: None }
}

fn act(table: &mut BatchTable, id: BatchId, command: Command) {
    let decision = decide(table, id, command);
    decided(table, decision);
}

fn undo(table: &mut BatchTable) -> Action {
    let decision = decide_undo(table).unwrap();
    let action = decision.action;
    decided(table, Ok(decision));
    action
}

fn redo(table: &mut BatchTable) -> Action {
    let decision = decide_redo(table).unwrap();
    let action = decision.action;
    decided(table, Ok(decision));
    action
}

fn state(table: &BatchTable, id: BatchId) -> BatchState {
    table.get(id).unwrap().state()
}

#[test]
fn only_confirming_wants_a_second_person() {
    let mut table = BatchTable::default();
    let id = staged(&mut table, None);
    let confirm = |actor: &str, two_person| {
        let by = Confirmer { actor: actor.to_owned(), two_person };
        Command::Confirm { token: Digest([1; 32]), base: Position(1), by }
    };
    let refused = Refusal::SamePerson { batch: id, whole: None, actor: "ann".to_owned() };
    assert_eq!(decide(&table, id, confirm("ann", true)), Err(refused));
    assert!(decide(&table, id, confirm("ann", false)).is_ok());
    assert!(decide(&table, id, confirm("bo", true)).is_ok());
    assert!(decide(&table, id, discard()).is_ok());
    act(&mut table, id, confirm("bo", true));
    // Afterwards the state is the first thing that speaks against it, not the person.
    assert!(matches!(decide(&table, id, confirm("ann", true)), Err(Refusal::WrongState { .. })));
    assert!(decide(&table, id, roll_back()).is_ok());
}

#[test]
fn each_state_takes_its_own_commands_and_refuses_the_others() {
    use BatchState::{Active, Discarded, RolledBack, Staged, Superseded};
    let ways: [(&[Command], [Option<BatchState>; 4]); 5] = [
        (&[], [Some(Active), Some(Discarded), None, None]),
        (&[confirm()], [None, None, Some(RolledBack), None]),
        (&[discard()], [None, None, None, Some(Staged)]),
        (&[confirm(), roll_back()], [None, None, None, Some(Active)]),
        (&[confirm(), roll_back(), reinstate()], [None, None, Some(RolledBack), None]),
    ];
    for (before, after) in ways {
        let mut table = BatchTable::default();
        let id = staged(&mut table, None);
        before.iter().for_each(|command| act(&mut table, id, command.clone()));
        for (command, to) in [confirm(), discard(), roll_back(), reinstate()].iter().zip(after) {
            let from = state(&table, id);
            match (decide(&table, id, command.clone()), to) {
                (Ok(decision), Some(to)) => {
                    assert_eq!(decision.changes, [StateChange { batch: id, from, to }]);
                    assert_eq!(decision.via, Via::Plain);
                }
                (Err(Refusal::WrongState { batch, state, .. }), None) => {
                    assert_eq!((batch, state), (id, from));
                }
                (other, _) => panic!("{from} {command:?}: {other:?}"),
            }
        }
    }
    // A batch that was replaced may be put back as well.
    let mut table = BatchTable::default();
    let (old, new) = (staged(&mut table, None), staged(&mut table, Some(B1)));
    act(&mut table, old, confirm());
    act(&mut table, new, confirm());
    assert_eq!(state(&table, old), Superseded);
    assert_eq!(decide(&table, old, reinstate()).unwrap().changes[0].to, Active);
    let missing = decide(&table, BatchId(3), confirm());
    assert_eq!(missing, Err(Refusal::NoSuchBatch(BatchId(3))));
}

#[test]
fn a_new_reading_takes_the_place_of_one_that_counts_and_of_no_other() {
    let mut table = BatchTable::default();
    let (old, new) = (staged(&mut table, None), staged(&mut table, Some(B1)));
    // The old one does not count yet: there is nothing to replace.
    let alone = decide(&table, new, confirm()).unwrap();
    assert_eq!((alone.action, alone.changes.len()), (Action::Commit, 1));
    act(&mut table, old, confirm());
    let both = decide(&table, new, confirm()).unwrap();
    assert_eq!((both.action, both.changes.len()), (Action::Supersede, 2));
    decided(&mut table, Ok(both));
    assert_eq!(
        (state(&table, old), state(&table, new)),
        (BatchState::Superseded, BatchState::Active)
    );
    // Both ways at once: undoing it brings the old one back and takes the new one out.
    assert_eq!(undo(&mut table), Action::Reinstate);
    assert_eq!(
        (state(&table, old), state(&table, new)),
        (BatchState::Active, BatchState::RolledBack)
    );
    assert_eq!(redo(&mut table), Action::Supersede);
    assert_eq!(
        (state(&table, old), state(&table, new)),
        (BatchState::Superseded, BatchState::Active)
    );
    // What was put back goes where it came from, which is not where a rollback leads.
    act(&mut table, old, reinstate());
    assert_eq!(undo(&mut table), Action::Rollback);
    assert_eq!(state(&table, old), BatchState::Superseded);
}

#[test]
fn undo_goes_back_decision_by_decision_and_redo_forward() {
    let mut table = BatchTable::default();
    let (one, two) = (staged(&mut table, None), staged(&mut table, None));
    assert_eq!(decide_undo(&table), Err(Refusal::NothingToUndo));
    assert_eq!(decide_redo(&table), Err(Refusal::NothingToRedo));
    act(&mut table, one, confirm());
    act(&mut table, two, discard());
    // A discarded batch waits again; a commit that is taken back did count once.
    assert_eq!(undo(&mut table), Action::Reinstate);
    assert_eq!((state(&table, one), state(&table, two)), (BatchState::Active, BatchState::Staged));
    assert_eq!(undo(&mut table), Action::Rollback);
    assert_eq!(
        (state(&table, one), state(&table, two)),
        (BatchState::RolledBack, BatchState::Staged)
    );
    assert_eq!(decide_undo(&table), Err(Refusal::NothingToUndo));
    // What counted once is put back, not committed a second time.
    assert_eq!(redo(&mut table), Action::Reinstate);
    assert_eq!(redo(&mut table), Action::Discard);
    assert_eq!(
        (state(&table, one), state(&table, two)),
        (BatchState::Active, BatchState::Discarded)
    );
    assert_eq!(decide_redo(&table), Err(Refusal::NothingToRedo));
    // What was redone can be undone again; a decision of another kind ends redoing.
    assert_eq!(undo(&mut table), Action::Reinstate);
    act(&mut table, one, roll_back());
    assert_eq!(decide_redo(&table), Err(Refusal::NothingToRedo));
    assert_eq!(undo(&mut table), Action::Reinstate);
    assert_eq!(state(&table, one), BatchState::Active);
}

#[test]
fn what_has_moved_on_since_is_not_undone() {
    let mut table = BatchTable::default();
    let id = staged(&mut table, None);
    act(&mut table, id, discard());
    act(&mut table, id, reinstate());
    act(&mut table, id, confirm());
    undo(&mut table); // rolled back, where it had been staged before
    let (at, state) = (Position(3), BatchState::RolledBack);
    assert_eq!(decide_undo(&table), Err(Refusal::MovedOn { at, batch: id, state }));
}

#[test]
fn the_first_commit_is_a_batchs_place_and_time_for_ever() {
    let mut table = BatchTable::default();
    let id = staged(&mut table, None);
    let first = |table: &BatchTable| {
        let batch = table.get(id).unwrap();
        (batch.committed_at, batch.committed_ms)
    };
    act(&mut table, id, discard());
    act(&mut table, id, reinstate());
    assert_eq!(first(&table), (None, None), "it never counted");
    act(&mut table, id, confirm());
    assert_eq!(first(&table), (Some(Position(4)), Some(7)));
    act(&mut table, id, roll_back());
    let back = decide(&table, id, reinstate()).unwrap();
    take(&mut table, "bo", 99, EntryKind::Decision(back));
    assert_eq!(first(&table), (Some(Position(4)), Some(7)));
    let states = [(4, BatchState::Active), (5, BatchState::RolledBack), (6, BatchState::Active)];
    let batch = table.get(id).unwrap();
    assert_eq!(batch.state_at(Position(0)), None);
    for (at, state) in states {
        assert_eq!(batch.state_at(Position(at)), Some(state), "{at}");
    }
}

#[test]
fn a_batchs_class_is_that_of_the_view_asked_for() {
    let mut table = BatchTable::default();
    let mut stage = stage(B1);
    let part = |series, class| ViewPart { series, class, events: 1 };
    stage.views = vec![part(Series::Iv, Class::Fill), part(Series::Hv, Class::Manual)];
    take(&mut table, "ann", 0, EntryKind::Stage(Box::new(stage)));
    let batch = table.get(B1).unwrap();
    assert_eq!(batch.class(Series::Iv), Class::Fill);
    assert_eq!(batch.class(Series::Hv), Class::Manual);
    assert_eq!(batch.class(Series::Spot), Class::Vendor);
}

#[test]
fn going_back_to_a_position_changes_what_counts_otherwise_and_nothing_else() {
    let mut table = BatchTable::default();
    let (one, two) = (staged(&mut table, None), staged(&mut table, None));
    staged(&mut table, None); // waits, then as now
    act(&mut table, one, confirm()); // 4
    act(&mut table, one, roll_back()); // 5
    act(&mut table, two, confirm()); // 6
    let change = |batch, from, to| StateChange { batch, from, to };
    let to = |at| decide_rollback_to(&table, Position(at), None).map(|decision| decision.changes);
    let out = change(two, BatchState::Active, BatchState::RolledBack);
    let back = change(one, BatchState::RolledBack, BatchState::Active);
    assert_eq!(to(6), None);
    assert_eq!(to(5), Some(vec![out]));
    assert_eq!(to(4), Some(vec![back, out]));
    assert_eq!(to(1), Some(vec![out]));
    assert_eq!((one, two), (B1, B2));
}
