<?php
// Counts the visits of a session, and tells the size of an upload.
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
if (isset($_FILES['file'])) {
    echo 'bytes ', $_FILES['file']['size'], "\n";
} else {
    echo 'visit ', $_SESSION['visits'], "\n";
}
