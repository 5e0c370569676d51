//! The program as a user meets it: one test program, a file for each thing that it does.

mod accept;
mod any_file;
mod bad_input;
mod cases;
mod check;
mod continuous;
mod corpus;
mod counts;
mod examples;
mod explain;
mod fix;
mod formats;
mod labels;
mod layout;
mod lost_writes;
mod nothing;
mod outputs;
mod peers;
mod reading;
mod registry;
mod schema;
mod sources;
