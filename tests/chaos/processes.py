"""Programs that are killed, stopped, cut off, and started again."""

import os
import signal
import subprocess
import time

import support

RESTART_S = 0.5
READY_S = 20
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}


class Program:
    """A program on a host, which `keep` starts again whenever it has ended though it should run."""

    def __init__(self, host, command, directory):
        self.host = host
        self.command = command
        self.directory = directory
        self.name = host.name
        self.process = None
        self.wanted = False
        self.ended = 0
        self.starts = 0
        self.killed = False  # its end is our doing
        self.wrong = []
        os.makedirs(directory, exist_ok=True)

    def start(self):
        self.wanted = True
        self.killed = False
        self.ended = 0
        self.starts += 1
        with open(self.log_path, "ab") as log:
            log.write(b"--- start %d\n" % self.starts)
            log.flush()
            self.process = subprocess.Popen([*self.host.prefix, *self.command], env=support.environment(),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory)

    @property
    def log_path(self):
        return os.path.join(self.directory, "log")

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def kill(self):
        """kill -9; stays down until start."""
        self.wanted = False
        self.killed = True
        self.signal(signal.SIGKILL)
        self.signal(signal.SIGCONT)
        if self.process:
            self.process.wait()

    def pause(self):
        self.signal(signal.SIGSTOP)

    def go_on(self):
        self.signal(signal.SIGCONT)

    def terminate(self):
        """As an operator ends it; stays down until start."""
        self.wanted = False
        self.signal(signal.SIGTERM)

    def keep(self):
        """To be called often: notices an end, and starts it again a moment later."""
        if self.process is None or self.process.poll() is None:
            self.ended = 0
            return
        if not self.ended:
            self.ended = time.monotonic()
            self._judge(self.process.returncode)
        if self.wanted and time.monotonic() - self.ended > RESTART_S:
            self.start()

    def _judge(self, status):
        if -status in CRASHES or (status > 0 and "Sanitizer" in self.log()):
            self.wrong.append("%s crashed: status %d\n%s" % (self.name, status, self.log()[-2000:]))
        last = self.log().splitlines()[-1:]
        if status > 0 and last and "msg=" in last[0] and "level=error" not in last[0]:
            self.wrong.append("%s ended with %d and did not say why: %s" % (self.name, status, last[0]))

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def end(self):
        """For good. What it ended with."""
        self.wanted = False
        if self.running():
            self.go_on()
            self.process.terminate()
            try:
                self.process.wait(READY_S)
            except subprocess.TimeoutExpired:
                self.wrong.append("%s does not end at SIGTERM\n%s" % (self.name, self.log()[-2000:]))
                self.process.kill()
                self.process.wait()
        if self.process and not self.killed:
            self._judge(self.process.returncode)


class Redis(Program):
    """A redis-server (or sentinel) with a configuration file that it may rewrite, as sentinels want it to."""

    def __init__(self, host, directory, *lines, usual=6379, sentinel=False):
        self.port = host.port(usual)
        config = os.path.join(directory, "redis.conf")
        super().__init__(host, ["redis-server", config, *(["--sentinel"] if sentinel else [])], directory)
        with open(config, "w", encoding="ascii") as file:
            file.write("port %d\nbind %s 127.0.0.1\nprotected-mode no\ndir %s\n" % (self.port, host.address, directory))
            file.write("\n".join(lines) + "\n")

    @property
    def place(self):
        return "%s:%d" % (self.host.address, self.port)

    def ask(self, *command, timeout=5):
        """What redis-cli says; '' where it cannot be asked."""
        try:
            return subprocess.run([*self.host.prefix, "redis-cli", "-h", self.host.address, "-p", str(self.port),
                                   *map(str, command)], timeout=timeout, check=False, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT).stdout.strip()
        except subprocess.TimeoutExpired:
            return ""

    def field(self, section, name):
        """A value in INFO, or ''."""
        for line in self.ask("info", section).splitlines():
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].strip()
        return ""


def wait_until(what, limit_s=READY_S, text="it"):
    """Asks again and again until `what` says something true, and gives that."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("%s has not come about in %g s" % (text, limit_s))
