use super::*;

#[test]
fn only_confirming_wants_a_second_person() {
    let mut table = BatchTable::default();
    let stage = crate::domain::entry::tests::stage(BatchId(1));
    let entry = |actor: &str, kind| Entry {
        time_ms: 0,
        actor: actor.to_owned(),
        tool: String::new(),
        kind,
    };
    table.apply(&entry("ann", EntryKind::Stage(Box::new(stage))));
    let id = BatchId(1);
    let confirm = |actor: &str, two_person| {
        let by = Confirmer { actor: actor.to_owned(), two_person };
        Command::Confirm { token: Digest([1; 32]), base: Position(1), by }
    };
    let refused = Refusal::SamePerson { batch: id, actor: "ann".to_owned() };
    assert_eq!(decide(&table, id, confirm("ann", true)), Err(refused));
    assert!(decide(&table, id, confirm("ann", false)).is_ok());
    assert!(decide(&table, id, confirm("bo", true)).is_ok());
    assert!(decide(&table, id, Command::Discard { reason: None }).is_ok());
    let decision = decide(&table, id, confirm("bo", true)).unwrap();
    table.apply(&entry("bo", EntryKind::Decision(decision)));
    // Afterwards the state is the first thing that speaks against it, not the person.
    assert!(matches!(decide(&table, id, confirm("ann", true)), Err(Refusal::WrongState { .. })));
    assert!(decide(&table, id, Command::RollBack { reason: None }).is_ok());
}
