<?php
// An application that keeps what it writes in its own folder, as those of CakePHP do: compiled
// pages, caches and sessions in `tmp`, and its log in `logs`.
class Application
{
    private string $tmp;
    private string $logs;

    public function __construct(string $root)
    {
        $this->tmp = "$root/tmp";
        $this->logs = "$root/logs";
    }

    public function answer(): void
    {
        foreach (['cache/models', 'cache/persistent', 'cache/views', 'sessions'] as $folder) {
            if (!is_dir("$this->tmp/$folder")) {
                mkdir("$this->tmp/$folder", 0770, true);
            }
        }
        session_save_path("$this->tmp/sessions");
        session_start();
        $_SESSION['loaves'] = ($_SESSION['loaves'] ?? 0) + 1;
        $this->log('debug', 'baked loaf ' . $_SESSION['loaves']);
        $known = $this->cached('prices', fn () => ['rye' => 5, 'wheat' => 4]);
        header('Content-Type: text/plain');
        echo 'loaf ', $_SESSION['loaves'], ' of rye at ', $known['rye'], "\n";
    }

    private function cached(string $key, callable $make): array
    {
        $file = "$this->tmp/cache/persistent/$key";
        if (is_file($file)) {
            return unserialize(file_get_contents($file));
        }
        $value = $make();
        if (file_put_contents("$file.new", serialize($value)) === false || !rename("$file.new", $file)) {
            throw new RuntimeException("$file cannot be written");
        }
        return $value;
    }

    private function log(string $level, string $line): void
    {
        if (file_put_contents("$this->logs/$level.log", date('c') . " $line\n", FILE_APPEND) === false) {
            throw new RuntimeException("$this->logs/$level.log cannot be written");
        }
    }
}
