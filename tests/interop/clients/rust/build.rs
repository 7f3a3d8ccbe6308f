//! Tells the program which version of the crate it was built with, from its lock file.

fn main() {
    println!("cargo::rerun-if-changed=Cargo.lock");
    let lock = std::fs::read_to_string("Cargo.lock").expect("the lock file is part of the sources");
    let package = lock.split("[[package]]").find(|package| package.contains("name = \"openidconnect\"")).expect("a dependency");
    let version = package.split("version = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("every package has one");
    println!("cargo::rustc-env=OPENIDCONNECT_VERSION={version}");
}
