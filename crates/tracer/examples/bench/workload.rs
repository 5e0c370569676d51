//! What is measured: a web server under load, opens for reading, forks, and an archive unpacked.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Method;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    Nginx,
    Opens,
    Forks,
    Tar,
}

pub const ALL: [Workload; 4] = [Workload::Nginx, Workload::Opens, Workload::Forks, Workload::Tar];

const OPENS: usize = 200_000;
const FORKS: usize = 500;
const FILES: usize = 5_000;
const LOAD_SECONDS: u32 = 3;

/// What one run took.
pub struct Figure {
    /// Seconds, or requests a second.
    pub main: f64,
    /// User and system time of all processes, in seconds; of a server, in microseconds a request.
    pub cpu: f64,
}

impl Workload {
    pub fn named(name: &str) -> Option<Workload> {
        ALL.into_iter().find(|workload| format!("{workload:?}").to_lowercase() == name)
    }

    pub fn title(self) -> String {
        match self {
            Workload::Nginx => "nginx, static page, wrk -c16: requests a second".into(),
            Workload::Opens => format!("{OPENS} opens for reading"),
            Workload::Forks => format!("{FORKS} programs started by a shell"),
            Workload::Tar => format!("tar x of {FILES} small files"),
        }
    }

    pub fn unit(self) -> &'static str {
        if self == Workload::Nginx { "requests/s" } else { "seconds" }
    }

    pub fn cpu_unit(self) -> &'static str {
        if self == Workload::Nginx { "CPU us/req." } else { "CPU s" }
    }

    pub fn tools(self) -> &'static [&'static str] {
        match self {
            Workload::Nginx => &["strace", "nginx", "wrk"],
            Workload::Opens => &["strace"],
            Workload::Forks => &["strace", "sh", "true"],
            Workload::Tar => &["strace", "tar"],
        }
    }

    pub fn prepare(self) -> io::Result<Prepared> {
        // In memory where there is some: what tracing adds should not drown in what disks take.
        let shared = Path::new("/dev/shm");
        let folder = if shared.is_dir() { tempfile::tempdir_in(shared)? } else { tempfile::tempdir()? };
        if self == Workload::Tar {
            let source = folder.path().join("source");
            fs::create_dir(&source)?;
            for number in 0..FILES {
                fs::write(source.join(format!("file-{number}")), format!("content {number}\n"))?;
            }
            let status = Command::new("tar")
                .arg("-cf")
                .arg(folder.path().join("archive.tar"))
                .arg("-C")
                .arg(folder.path())
                .arg("source")
                .status()?;
            if !status.success() {
                return Err(io::Error::other("tar failed"));
            }
        }
        Ok(Prepared { workload: self, folder })
    }
}

pub struct Prepared {
    workload: Workload,
    folder: tempfile::TempDir,
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

impl Prepared {
    pub fn run(&self, method: Method) -> io::Result<Figure> {
        let log = self.folder.path().join("log");
        let figure = match self.workload {
            Workload::Nginx => self.nginx(method, &log),
            Workload::Opens => {
                let itself = std::env::current_exe()?;
                self.timed(method, &[itself.into_os_string(), "do-opens".into()], &log)
            }
            Workload::Forks => {
                let script = format!("i=0; while [ $i -lt {FORKS} ]; do /bin/true; i=$((i+1)); done");
                self.timed(method, &words(&["/bin/sh", "-c", &script]), &log)
            }
            Workload::Tar => {
                let target = self.folder.path().join("target");
                let _ = fs::remove_dir_all(&target);
                fs::create_dir(&target)?;
                let archive = self.folder.path().join("archive.tar");
                let program = ["tar".into(), "-xf".into(), archive.into(), "-C".into(), target.into_os_string()];
                self.timed(method, &program, &log)
            }
        };
        let _ = fs::remove_file(log);
        figure
    }

    fn timed(&self, method: Method, program: &[OsString], log: &Path) -> io::Result<Figure> {
        let begun = Instant::now();
        let child = method.command(program, log).spawn()?;
        let (status, cpu) = wait(child)?;
        if status != 0 {
            return Err(io::Error::other(format!("{method:?} ended with {status}")));
        }
        Ok(Figure { main: begun.elapsed().as_secs_f64(), cpu })
    }

    fn nginx(&self, method: Method, log: &Path) -> io::Result<Figure> {
        let folder = self.folder.path();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let configuration = folder.join("nginx.conf");
        let place = folder.display();
        fs::create_dir_all(folder.join("html"))?;
        fs::write(folder.join("html/index.html"), "a page\n".repeat(80))?;
        // Root's workers would not be able to enter the folder.
        let user = if is_root() { "user root;" } else { "" };
        fs::write(
            &configuration,
            format!(
                "{user} daemon off; worker_processes 1; pid {place}/nginx.pid; error_log {place}/error.log;\n\
                 events {{ worker_connections 256; }}\n\
                 http {{ access_log {place}/access.log;\n\
                   client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c;\n\
                   uwsgi_temp_path {place}/d; scgi_temp_path {place}/e;\n\
                   server {{ listen 127.0.0.1:{port}; root {place}/html; }} }}\n"
            ),
        )?;
        let program: Vec<OsString> = vec![
            crate::find(&"nginx".into()).into(),
            "-p".into(),
            folder.into(),
            "-e".into(),
            folder.join("error.log").into(),
            "-c".into(),
            configuration.into(),
        ];
        let server = method.command(&program, log).spawn()?;
        let answered = answers(port);
        let requests = answered.and_then(|()| load(port));
        // The master's own file says which process to end, whoever its parent is.
        let master: Option<i32> = read_number(&folder.join("nginx.pid"));
        match master {
            // SAFETY: a process that this program started, which is its child's child at the most.
            Some(pid) => unsafe { libc::kill(pid, libc::SIGTERM) },
            // SAFETY: our own child, not waited for yet.
            None => unsafe { libc::kill(server.id() as i32, libc::SIGKILL) },
        };
        let (_, cpu) = wait(server)?;
        let requests = requests?;
        Ok(Figure { main: requests, cpu: cpu * 1e6 / (requests * LOAD_SECONDS as f64) })
    }
}

fn is_root() -> bool {
    // SAFETY: no arguments.
    unsafe { libc::geteuid() == 0 }
}

fn read_number(path: &Path) -> Option<i32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn answers(port: u16) -> io::Result<()> {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begun.elapsed() > Duration::from_secs(20) {
            return Err(io::Error::other("nginx does not answer"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Requests a second, as wrk counts them.
fn load(port: u16) -> io::Result<f64> {
    let output = Command::new("wrk")
        .args(["-t1", "-c16", "-d", &format!("{LOAD_SECONDS}s"), &format!("http://127.0.0.1:{port}/")])
        .stdin(Stdio::null())
        .output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    let line = told.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    line.and_then(|number| number.trim().parse().ok()).ok_or_else(|| io::Error::other(format!("wrk says {told}")))
}

/// The exit code, and the processor time of the child and of all that it waited for.
fn wait(child: Child) -> io::Result<(i32, f64)> {
    let mut status = 0;
    // SAFETY: zero is a value of this struct of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: our own child, and two places to write to.
    if unsafe { libc::wait4(child.id() as i32, &mut status, 0, &mut usage) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let status = std::process::ExitStatus::from_raw(status);
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok((status.code().unwrap_or(-1), seconds(usage.ru_utime) + seconds(usage.ru_stime)))
}

/// Opens and closes a file for reading, over and over.
pub fn do_opens() -> io::Result<()> {
    let path = PathBuf::from("/etc/hostname");
    let path = if path.exists() { path } else { "/proc/self/exe".into() };
    for _ in 0..OPENS {
        fs::File::open(&path)?;
    }
    Ok(())
}
