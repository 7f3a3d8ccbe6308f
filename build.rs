//! Tells cargo which folders go into the binary, so that a new file in one of them is noticed.

fn main() {
    for folder in ["migrations", "static", "templates"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
