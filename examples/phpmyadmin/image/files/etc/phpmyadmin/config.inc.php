<?php
// The layout of the image phpmyadmin: the secret beside this file, sessions in a folder of their
// own, templates compiled below /tmp.
require '/etc/phpmyadmin/config.secret.inc.php';
$cfg['TempDir'] = '/tmp';
$cfg['Servers'][1]['host'] = getenv('PMA_HOST') ?: '127.0.0.1';
$cfg['Servers'][1]['auth_type'] = 'cookie';
