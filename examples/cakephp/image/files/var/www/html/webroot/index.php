<?php
// The one script that is served; all else lies beside the folder.
require dirname(__DIR__) . '/src/Application.php';
(new Application(dirname(__DIR__)))->answer();
