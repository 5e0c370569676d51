//! What whole folders declare.

use tojimari_text::Sources;

use super::read_folder;
use crate::declared::Declared;

#[test]
fn a_task_definition_is_read_from_its_json_with_holes() {
    let sources = Sources::new();
    let text = r#"
variable "image" {}
resource "aws_ecs_task_definition" "app" {
  family                = "app"
  container_definitions = <<-EOT
    [
      {
        "name": "web",
        "image": "${var.image}",
        "ReadOnlyRootFilesystem": false
      }
    ]
  EOT
}
"#;
    let read = read_folder(&sources, &[("main.tf", text)], "");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    let [resource] = read.stacks[0].resources.as_slice() else { panic!("one resource") };
    let Declared::TaskDefinition(task) = &resource.declared else { panic!("a task definition") };
    let container = &task.containers.items[0];
    let (reason, _) = container.image.unknown().expect("the image is not known");
    assert_eq!(&**reason, "depends on var.image");
    let field = container.readonly_root_filesystem.span().expect("it is there");
    assert_eq!(sources.slice(field), "false");
    assert_eq!(sources.place(field).line, 10);
}
