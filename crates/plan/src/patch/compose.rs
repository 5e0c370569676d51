//! Plans and remedies written into a service of a Compose file, in Compose's own words.

use serde_json::json;
use tojimari_model::finding::Remedy;
use tojimari_text::edit::{Document, Step};
use tojimari_text::{Node, Span};

use super::job::{Job, Pen, path_where};
use super::{Change, Error};
use tojimari_evidence::plan::{ContainerPlan, WritableBy, WritableMount};

/// Entries after which new ones go, the first that is there.
const AFTER: [&str; 4] = ["read_only", "image", "build", "container_name"];

/// Whether the change is about a service of a Compose project.
pub(super) fn is_service(document: &dyn Document, change: &Change<'_>) -> bool {
    way_to_service(document, subject(change)).is_ok()
}

/// What a change comes to in a document.
pub(super) fn jobs<'a>(document: &dyn Document, change: &Change<'a>) -> Result<Vec<Job<'a>>, Error> {
    let service = way_to_service(document, subject(change))?;
    let way = service.clone();
    let job = match change {
        Change::Remedy { remedy, .. } => {
            let remedy = *remedy;
            Job::new(&way, move |pen| Service { pen, way: &service }.remedy(remedy))
        }
        Change::Plan { located, plan } => {
            let planned =
                plan.containers.iter().find(|planned| located.containers.iter().any(|(n, _)| *n == planned.name));
            let planned = planned.ok_or_else(|| {
                Error::NoSuchContainer(plan.containers.first().map(|planned| planned.name.clone()).unwrap_or_default())
            })?;
            Job::new(&way, move |pen| Service { pen, way: &service }.harden(planned))
        }
    };
    Ok(vec![job])
}

fn subject(change: &Change<'_>) -> Span {
    match change {
        Change::Plan { located, .. } => located.task,
        Change::Remedy { subject, .. } => *subject,
    }
}

fn way_to_service(document: &dyn Document, span: Span) -> Result<Vec<Step>, Error> {
    let is_service = |way: &[Step]| matches!(way, [.., Step::Key(services), Step::Key(_)] if services == "services");
    path_where(document, span, |way, _| is_service(way))
}

/// One service while it is written.
struct Service<'p, 'd> {
    pen: &'p mut Pen<'d>,
    way: &'p [Step],
}

impl Service<'_, '_> {
    fn remedy(&mut self, remedy: &Remedy) -> Result<(), Error> {
        match remedy {
            Remedy::ReadOnlyRoot { .. } => self.pen.set(self.way, "read_only", json!(true), &AFTER[1..]),
            Remedy::NotPrivileged { .. } => self.pen.set(self.way, "privileged", json!(false), &AFTER),
            Remedy::TmpfsOptions { path, options, .. } => {
                let options: Vec<&str> = options.iter().map(|option| &**option).collect();
                self.tmpfs_options(path, &options)
            }
            Remedy::NoNewPrivileges { .. } => self.no_new_privileges(),
            Remedy::DropCapabilities { capabilities, .. } => {
                capabilities.iter().try_for_each(|capability| self.drop_capability(capability))
            }
            Remedy::OwnProcesses => self.pen.remove(&[self.way, &["pid".into()]].concat()),
            Remedy::OwnNetwork => Err(Error::ByHand(
                "take network_mode away and publish under ports what the service listens on".to_owned(),
            )),
            other => Err(Error::Remedy(other.sentence())),
        }
    }

    fn harden(&mut self, plan: &ContainerPlan) -> Result<(), Error> {
        if plan.readonly_root {
            self.pen.set(self.way, "read_only", json!(true), &AFTER[1..])?;
        }
        if !plan.privileged && self.member("privileged").is_some() {
            self.pen.set(self.way, "privileged", json!(false), &AFTER)?;
        }
        let mut tmpfs = Vec::new();
        for mount in &plan.writable {
            if self.is_mounted(&mount.path) {
                continue;
            }
            match mount.by {
                WritableBy::Tmpfs => {
                    let size = mount.size_mib.map(|mib| format!("size={mib}m"));
                    let options: Vec<String> = size.into_iter().chain(mount.options.iter().cloned()).collect();
                    tmpfs.push(format!("{}:{}", mount.path, options.join(",")));
                }
                WritableBy::Volume => self.volume(mount)?,
                WritableBy::Efs => {
                    let why = format!("{}: Compose mounts EFS through a volume driver of your own", mount.path);
                    return Err(Error::ByHand(why));
                }
            }
        }
        self.tmpfs(tmpfs)
    }

    fn member(&self, name: &str) -> Option<&Node> {
        self.pen.member(self.way, name)
    }

    fn is_mounted(&self, path: &str) -> bool {
        let target = |item: &Node| -> Option<String> {
            if let Some(target) = item.get("target") {
                return target.as_str().map(str::to_owned);
            }
            let fields: Vec<&str> = item.as_str()?.split(':').collect();
            fields.iter().take(2).find(|field| **field == path).map(|field| (*field).to_owned())
        };
        ["tmpfs", "volumes"].iter().filter_map(|name| self.member(name)).any(|list| {
            let items = if list.is_sequence() { list.items() } else { std::slice::from_ref(list) };
            items.iter().filter_map(target).any(|target| target == path)
        })
    }

    fn tmpfs(&mut self, new: Vec<String>) -> Result<(), Error> {
        match self.member("tmpfs") {
            _ if new.is_empty() => Ok(()),
            None => self.pen.set(self.way, "tmpfs", json!(new), &AFTER),
            Some(list) if list.is_sequence() => {
                new.into_iter().try_for_each(|item| self.pen.push(self.way, "tmpfs", json!(item), &AFTER))
            }
            // One may stand there without a list.
            Some(single) => {
                let all: Vec<String> = single.as_str().map(str::to_owned).into_iter().chain(new).collect();
                self.pen.set(self.way, "tmpfs", json!(all), &AFTER)
            }
        }
    }

    fn volume(&mut self, mount: &WritableMount) -> Result<(), Error> {
        let name = mount.volume.as_deref().unwrap_or_default();
        self.pen.push(self.way, "volumes", json!(format!("{name}:{}", mount.path)), &AFTER)?;
        // An anonymous volume would be left behind by every container: it is declared by its name.
        let root = &self.way[..self.way.len() - 2];
        if self.pen.member(root, "volumes").is_some_and(|volumes| volumes.get(name).is_some()) {
            return Ok(());
        }
        if self.pen.member(root, "volumes").is_some_and(Node::is_mapping) {
            let volumes = [root, &["volumes".into()]].concat();
            return self.pen.set(&volumes, name, json!({}), &[]);
        }
        self.pen.set(root, "volumes", json!({ name: {} }), &["services"])
    }

    fn tmpfs_options(&mut self, path: &str, options: &[&str]) -> Result<(), Error> {
        let list = self.member("tmpfs").ok_or(Error::NoSuchPlace)?;
        let way = [self.way, &["tmpfs".into()]].concat();
        let with = |item: &Node| -> Option<String> {
            let text = item.as_str()?;
            let (target, given) = text.split_once(':').unwrap_or((text, ""));
            if target.trim_end_matches('/') != path.trim_end_matches('/') {
                return None;
            }
            // `exec` would take back what `noexec` gives.
            let opposed = |option: &str| options.iter().any(|wanted| wanted.strip_prefix("no") == Some(option));
            let kept =
                given.split(',').filter(|option| !option.is_empty() && !opposed(option) && !options.contains(option));
            let all: Vec<&str> = kept.chain(options.iter().copied()).collect();
            Some(format!("{target}:{}", all.join(",")))
        };
        if let Some(text) = with(list) {
            return self.pen.replace(&way, json!(text));
        }
        let found = list.items().iter().enumerate().find_map(|(index, item)| Some((index, with(item)?)));
        let (index, text) = found.ok_or(Error::NoSuchPlace)?;
        self.pen.replace(&[&way[..], &[Step::Index(index)]].concat(), json!(text))
    }

    fn no_new_privileges(&mut self) -> Result<(), Error> {
        let wanted = json!("no-new-privileges:true");
        let given = self.member("security_opt").map(Node::items).unwrap_or_default();
        let says = |item: &Node| item.as_str().is_some_and(|text| text.starts_with("no-new-privileges"));
        match given.iter().position(says) {
            Some(index) => self.pen.replace(&[self.way, &["security_opt".into(), Step::Index(index)]].concat(), wanted),
            None => self.pen.push(self.way, "security_opt", wanted, &AFTER),
        }
    }

    fn drop_capability(&mut self, capability: &str) -> Result<(), Error> {
        let bare = |text: &str| text.to_ascii_uppercase().trim_start_matches("CAP_").to_owned();
        let added = self.member("cap_add").map(Node::items).unwrap_or_default();
        let index = added.iter().position(|item| item.as_str().is_some_and(|text| bare(text) == bare(capability)));
        let way = [self.way, &["cap_add".into()]].concat();
        match index {
            Some(_) if added.len() == 1 => self.pen.remove(&way),
            Some(index) => self.pen.remove(&[&way[..], &[Step::Index(index)]].concat()),
            None => self.pen.push(self.way, "cap_drop", json!(capability), &AFTER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{container_plan, fixed, planned, tmpfs, volume};
    use super::*;

    const FILE: &str = "# the shop
services:
  web:
    image: nginx:1.27 # pinned
    privileged: yes
    tmpfs: /run:exec,size=8m
  worker:
    build: .
    cap_add: [NET_ADMIN]
";

    #[test]
    fn a_plan_is_written_in_the_words_of_compose() {
        let plan = container_plan("web", vec![tmpfs("/var/cache/nginx"), volume("/data", "web-data")]);
        let expected = "# the shop
services:
  web:
    image: nginx:1.27 # pinned
    read_only: true
    volumes: [\"web-data:/data\"]
    privileged: false
    tmpfs: [\"/run:exec,size=8m\", \"/var/cache/nginx:size=16m,noexec,mode=1777\"]
  worker:
    build: .
    cap_add: [NET_ADMIN]
volumes:
  web-data: {}
";
        let once = planned(FILE, "compose.yaml", &plan).expect("a patch");
        assert_eq!(once, expected);
        assert_eq!(planned(&once, "compose.yaml", &plan).expect("a patch"), once, "twice is the same as once");
    }

    #[test]
    fn remedies_are_written_in_the_words_of_compose() {
        let container = || "web".into();
        for (service, remedy, expected) in [
            (
                "web",
                Remedy::ReadOnlyRoot { container: container() },
                "image: nginx:1.27 # pinned\n    read_only: true\n",
            ),
            ("web", Remedy::NotPrivileged { container: container(), refused_anyway: false }, "    privileged: false\n"),
            (
                "web",
                Remedy::TmpfsOptions { container: container(), path: "/run".into(), options: vec!["noexec".into()] },
                "    tmpfs: \"/run:size=8m,noexec\"\n",
            ),
            (
                "worker",
                Remedy::DropCapabilities { container: container(), capabilities: vec!["NET_ADMIN".into()] },
                "    build: .\n",
            ),
            (
                "worker",
                Remedy::DropCapabilities { container: container(), capabilities: vec!["ALL".into()] },
                "    build: .\n    cap_drop: [ALL]\n",
            ),
            (
                "worker",
                Remedy::NoNewPrivileges { container: container() },
                "    build: .\n    security_opt: [\"no-new-privileges:true\"]\n",
            ),
        ] {
            let after = fixed(FILE, "compose.yaml", service, &remedy).expect("a patch");
            assert!(after.contains(expected), "{remedy:?}:\n{after}");
        }
    }

    #[test]
    fn a_shared_anchor_says_whom_else_it_touches() {
        let text = "services:\n  web: &web\n    image: nginx\n  other: *web\n";
        let remedy = Remedy::ReadOnlyRoot { container: "web".into() };
        let patched = super::super::tests::patched_whole(text, "compose.yaml", "web", &remedy).expect("a patch");
        assert_eq!(patched.notes, ["services.other.read_only changes too: it shares an anchor with what is changed"]);
    }

    #[test]
    fn a_merged_list_is_taken_over() {
        let text =
            "x-base: &base\n  image: nginx\n  tmpfs: [/run]\nservices:\n  web:\n    <<: *base\n    user: nginx\n";
        let plan = container_plan("web", vec![tmpfs("/tmp")]);
        let after = planned(text, "compose.yaml", &plan).expect("a patch");
        assert!(after.contains("    tmpfs: [/run, \"/tmp:size=16m,noexec,mode=1777\"]\n"), "{after}");
        assert!(after.starts_with("x-base: &base\n  image: nginx\n  tmpfs: [/run]\n"), "{after}");
    }
}
