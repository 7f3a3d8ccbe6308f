//! The tour's signer signs as wallets do.

use std::io::Write;
use std::process::{Command, Stdio};

use latchkey::protocol::eip191::{Signature, recover};

use crate::read::root;

// The private key 1 is public knowledge, and so is its address.
#[test]
fn the_signer_of_the_tour_makes_signatures_that_this_server_accepts() {
    let message = "localhost:8080 wants you to sign in with your Ethereum account:\n0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf\n\né";
    let mut signer = Command::new("node");
    signer
        .arg("docs/sign.mjs")
        .current_dir(root())
        .env("PRIVATE_KEY", format!("0x{:064x}", 1))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut running = signer.spawn().expect("Node runs the tour's signer");
    running.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    let ended = running.wait_with_output().unwrap();
    assert!(ended.status.success());
    let signature: Signature = std::str::from_utf8(&ended.stdout).unwrap().trim().parse().unwrap();
    let signer = recover(message, &signature).unwrap();
    assert_eq!(signer.to_string(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
}
