//! Measuring a server, whatever for: reach it, make the runner, write down and say what happens.
//!
//! | file | does |
//! |---|---|
//! | `asked` | from the arguments that commands share to the plan of a run |
//! | `seed` | where the seeds of a run come from |
//! | `way` | from a plan to a target: connection, proxy, key |
//! | `news` | what preflight tells meanwhile |
//! | `no_effect` | options that would change nothing beside what else was typed |
//! | `server` | preflight, and the runner |
//! | `recorder` | what happens, into the run folder and onto the terminal |
//! | `console` | progress on stderr |
//! | `report` | the end of a run: the report, and the exit code |

pub(crate) mod asked;
mod console;
mod news;
pub(crate) mod no_effect;
mod recorder;
pub(crate) mod report;
mod seed;
mod server;
mod way;

pub(crate) use console::Console;
pub(crate) use recorder::{Recorded, Recorder, begin, go_on};
pub(crate) use server::Server;
pub(crate) use way::{Way, with_key};
