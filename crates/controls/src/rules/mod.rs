//! The catalogue: one file a control, one line here.

use crate::control::Control;
use crate::page::Page;

/// Declares the module of each control, and the list of them with the source of their pages.
macro_rules! controls {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every control with the source file that it is written in.
        static CATALOGUE: &[(&Control, &str)] =
            &[$((&$module::CONTROL, include_str!(concat!(stringify!($module), ".rs")))),*];

        /// The cases of every control, by its module.
        #[cfg(test)]
        pub(crate) static CASES: &[(&str, &Control, &[crate::cases::Case])] =
            &[$((stringify!($module), &$module::CONTROL, $module::CASES)),*];
    };
}

controls! {
    host_network_with_root,
    service_public_ip,
    host_process_namespace,
    privileged_container,
    writable_root_file_system,
    aws_keys_in_environment,
    no_log_configuration,
    old_platform_version,
    no_container_insights,
    untagged_service,
    untagged_cluster,
    untagged_task_definition,
    task_set_public_ip,
    host_network,
    efs_without_transit_encryption,
    no_termination_protection,
    root_user,
    administrator_user,
    images_not_scanned,
    mutable_tags,
    no_lifecycle_policy,
    untagged_public_repository,
    repository_without_cmk,
    exec_session_not_logged,
    exec_session_without_kms,
    exec_blocked_by_read_only_root,
    exec_not_watched,
    rejected_at_registration,
    volume_not_writable_by_user,
    tmpfs_without_noexec,
    ephemeral_storage_without_cmk,
    repository_open_to_public,
    secret_in_plain_text,
    host_path_mounted,
    dangerous_capability,
    image_not_pinned,
    privileges_can_grow,
    anonymous_volume,
    writable_mount_over_programs,
    persistent_writable_without_need,
}

/// Every control, retired ones too, in the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Control> {
    CATALOGUE.iter().map(|(control, _)| *control)
}

/// The control of that id or slug, in any case.
pub fn find(name: &str) -> Option<&'static Control> {
    all().find(|control| control.id.eq_ignore_ascii_case(name) || control.slug.eq_ignore_ascii_case(name))
}

/// The page of a control of the catalogue.
pub fn page(control: &Control) -> Option<Page> {
    CATALOGUE.iter().find(|(other, _)| other.id == control.id).map(|(_, source)| Page::of_source(source))
}
