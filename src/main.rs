//! The binary: an allocator, and the door to the command line.

use std::process::ExitCode;

// Its pages go back to the system soon after a burst, and many small allocations on many threads stay cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    latchkey::cli::main()
}
