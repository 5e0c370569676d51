//! What a control is: its names, its severity, the standards that ask for it, its page, and the
//! function that judges one resource.

use std::fmt;

use tojimari_model::Severity;

use crate::subject::Subject;
use crate::verdict::Verdict;

/// One rule of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// The public id: `ECS.5`, `TJ.10`.
    pub id: &'static str,
    /// The kebab-case name: of the file, the page, the fixtures, the SARIF rule.
    pub slug: &'static str,
    /// What should be, in one line.
    pub title: &'static str,
    pub severity: Severity,
    /// As benchmarks have it: 1 for what costs little, 2 where security goes before comfort.
    pub level: u8,
    pub standards: &'static [Standard],
    /// Why the control is evaluated only when somebody names it.
    pub retired: Option<&'static str>,
    /// The verdicts on one resource: none when it is not of the control's kind.
    pub check: fn(&Subject<'_>) -> Vec<Verdict>,
}

/// A place in a standard that asks for what a control checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// AWS Foundational Security Best Practices, by the control's own id.
    Fsbp,
    /// AWS Resource Tagging Standard, by the control's own id.
    ResourceTagging,
    /// NIST SP 800-53 Revision 5.
    Nist80053(&'static [&'static str]),
    /// PCI DSS 4.0.1.
    PciDss401(&'static [&'static str]),
    /// CIS AWS Compute Services Benchmark 1.1.0.
    CisAwsCompute110(&'static str),
    /// CIS Docker Benchmark 1.6.0.
    CisDocker160(&'static str),
    /// CIS Critical Security Controls 8.
    CisControls8(&'static [&'static str]),
}

impl Standard {
    /// The name with its version.
    pub fn name(&self) -> &'static str {
        match self {
            Standard::Fsbp => "AWS Foundational Security Best Practices",
            Standard::ResourceTagging => "AWS Resource Tagging Standard",
            Standard::Nist80053(_) => "NIST SP 800-53 Rev. 5",
            Standard::PciDss401(_) => "PCI DSS 4.0.1",
            Standard::CisAwsCompute110(_) => "CIS AWS Compute Services 1.1.0",
            Standard::CisDocker160(_) => "CIS Docker 1.6.0",
            Standard::CisControls8(_) => "CIS Controls 8",
        }
    }

    /// The places in it; none where the standard goes by the control's own id.
    pub fn places(&self) -> &[&'static str] {
        match self {
            Standard::Fsbp | Standard::ResourceTagging => &[],
            Standard::Nist80053(places) | Standard::PciDss401(places) | Standard::CisControls8(places) => places,
            Standard::CisAwsCompute110(place) | Standard::CisDocker160(place) => std::slice::from_ref(place),
        }
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.places() {
            [] => Ok(()),
            places => write!(f, " {}", places.join(", ")),
        }
    }
}

impl Control {
    /// The rules are Security Hub's own rather than ours.
    pub fn is_security_hubs(&self) -> bool {
        !self.id.starts_with("TJ.")
    }
}
