//! Lists the demo's files, so that the binary holds them and needs no folder beside it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=demo");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("demo");
    let mut code = String::from("pub(crate) const KNOWLEDGE: &[KnowledgeFile] = &[\n");
    for folder in sorted(&root.join("knowledge"))? {
        for file in sorted(&folder)? {
            code.push_str(&format!(
                "KnowledgeFile {{ slug: {:?}, name: {:?}, content: {} }},\n",
                name(&folder),
                name(&file),
                included(&file, &root),
            ));
        }
    }
    code.push_str("];\npub(crate) const PROPERTIES: &[(&str, &str)] = &[\n");
    for file in sorted(&root.join("properties"))? {
        let slug = name(&file).trim_end_matches(".json").to_owned();
        code.push_str(&format!("({slug:?}, {}),\n", included(&file, &root)));
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    fs::write(out.join("demo_files.rs"), code)
}

/// Names the file from the package's folder, so that what is generated holds in any checkout.
fn included(file: &Path, root: &Path) -> String {
    let inside = file.strip_prefix(root).unwrap_or(file).display();
    let path = format!("/demo/{inside}");
    format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))")
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
