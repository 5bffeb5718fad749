//! A guest was corrected here and changed at the PMS: which value stands afterwards, and why.
//!
//! Nothing else is needed: the merge is a pure function of the crate without features.

use serde_json::{Value, json};
use stayzr_core::transform::{ConflictStrategy, FieldMap, FieldRule, MergeInput, merge};

fn main() {
    // What the last synchronisation left on both sides.
    let base = fields([
        ("last_name", json!("Sillva")),
        ("email", json!("ana@example.com")),
        ("phone", json!("+351 91 000 0000")),
        ("classifications", json!(["Returning"])),
        ("notes", json!("Allergic to feathers")),
        ("loyalty_code", json!("G-100")),
    ]);
    // Staff mended the name, took a new number and wrote a note.
    let local = fields([
        ("last_name", json!("Silva")),
        ("email", json!("ana@example.com")),
        ("phone", json!("+351 91 111 1111")),
        ("classifications", json!(["Returning", "VeryImportant"])),
        ("notes", json!("Allergic to feathers and nuts")),
        ("loyalty_code", json!("G-100")),
    ]);
    // Meanwhile the PMS got a new address, another number, another note and a new code.
    let remote = fields([
        ("last_name", json!("Sillva")),
        ("email", json!("ana.silva@example.com")),
        ("phone", json!("+351 91 222 2222")),
        ("classifications", json!(["Media", "Returning"])),
        ("notes", json!("Allergic to feathers; wants a cot")),
        ("loyalty_code", json!("G-200")),
    ]);
    let rules = [
        FieldRule::shared("last_name"),
        FieldRule::shared("email"),
        FieldRule::shared("phone"),
        FieldRule::shared("classifications").with_strategy(ConflictStrategy::MergeFields),
        FieldRule::shared("notes").with_strategy(ConflictStrategy::ManualReview),
        FieldRule::remote("loyalty_code"),
    ];
    let merged = merge(MergeInput {
        base: &base,
        local: &local,
        remote: &remote,
        rules: &rules,
        strategy: ConflictStrategy::LocalWins,
    });

    println!("set here:");
    print(&merged.apply);
    println!("set at the PMS:");
    print(&merged.push);
    println!("not taken, and journalled:");
    for lost in &merged.refused {
        println!("  {} = {} ({})", lost.field, lost.remote, lost.reason);
    }
    println!("for a person to decide:");
    for conflict in &merged.conflicts {
        println!("  {}:", conflict.field);
        println!("    agreed {}", conflict.base.clone().unwrap_or_default());
        println!("    here   {}", conflict.local.clone().unwrap_or_default());
        println!("    PMS    {}", conflict.remote);
    }

    // Once both sides have what was decided, there is nothing left to do.
    let mut here = local.clone();
    here.extend(&merged.apply);
    let mut there = remote.clone();
    there.extend(&merged.push);
    let again = merge(MergeInput {
        base: &merged.base,
        local: &here,
        remote: &there,
        rules: &rules,
        strategy: ConflictStrategy::LocalWins,
    });
    println!(
        "merged again: {} to set here, {} to set at the PMS",
        again.apply.len(),
        again.push.len()
    );
}

fn fields<const N: usize>(values: [(&str, Value); N]) -> FieldMap {
    values
        .into_iter()
        .map(|(field, value)| (field.to_owned(), value))
        .collect()
}

fn print(fields: &FieldMap) {
    for (field, value) in fields.iter() {
        println!("  {field} = {value}");
    }
}
