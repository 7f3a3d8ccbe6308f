//! The binary: an allocator, and the door to the command line.

use std::process::ExitCode;

// Its pages go back to the system soon after a burst, and many small allocations on many threads stay cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for pages of 2 MiB, which the kernel then gives whole to whoever wants some bytes of one: twice the memory, and no
    // request is faster for it. Where the kernel does not know the wish, everything is as it was.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    latchkey::cli::main()
}
