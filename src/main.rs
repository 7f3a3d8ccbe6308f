//! The binary: an allocator, and the door to the command line.

use std::process::ExitCode;

// Its pages go back to the system soon after a burst, and many small allocations on many threads stay cheap. It asks for no huge pages
// (`no_thp`): the kernel would give one whole to whoever wants some bytes of it, which doubled the memory of a started server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    latchkey::cli::main()
}
