//! Reads OCI images and runs containers the way Amazon ECS would, to trace and to prove.
