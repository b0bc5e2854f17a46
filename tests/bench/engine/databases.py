"""PostgreSQL with PostGIS, and Redis, given the same requests against the same offers: each a server of its
own on loopback, started and ended here, its data under build/."""

import csv
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FEATURE_BITS = 31  # Redis' bit operations are of 32 bits, signed: features go in two halves


class Failed(Exception):
    """A server did not do what it should."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def rows(path):
    with open(path, encoding="ascii") as file:
        return list(csv.DictReader(file))


def wait_for(ready, process, seconds=30):
    end = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise Failed("the server did not start")
        time.sleep(0.02)


class Server:
    """A process that is ended with the block it was started in."""

    process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.send_signal(self.stop_signal)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class PostGIS(Server):
    """One connection, no wait for the disk, no just-in-time compiler, everything in memory."""

    stop_signal = signal.SIGINT  # fast shutdown
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "shared_buffers": "512MB",
        "effective_cache_size": "2GB",
        "work_mem": "64MB",
        "maintenance_work_mem": "256MB",
        "random_page_cost": "1.1",
        "max_wal_size": "4GB",
        "synchronous_commit": "off",
        "fsync": "off",
        "jit": "off",
        "autovacuum": "on",
        "log_min_messages": "fatal",
    }

    def __init__(self, directory):
        self.directory = os.path.join(directory, "postgis")
        self.data = os.path.join(self.directory, "data")
        self.programs = os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin")
        # The server refuses to run as root: then it runs as the user that its package made.
        self.user = "postgres" if os.geteuid() == 0 else None

    def run(self, program, *arguments, **options):
        done = subprocess.run(
            [os.path.join(self.programs, program), *arguments],
            text=True,
            user=self.user,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.directory,
            check=False,
            **options
        )
        if done.returncode != 0:
            raise Failed("%s: %s" % (program, done.stderr.strip()))
        return done.stdout

    def psql(self, *arguments):
        return self.run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments, env=self.environment
        )

    def start(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.directory, account.pw_uid, account.pw_gid)
        self.run(
            "initdb", "-D", self.data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        self.port = free_port()
        self.environment = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "bench",
            "PGDATABASE": "postgres",
            "PATH": os.environ["PATH"],
            "PGOPTIONS": "-c client_min_messages=warning",
        }
        options = ["-p", str(self.port)]
        for name, value in self.settings.items():
            options += ["-c", "%s=%s" % (name, value)]
        self.process = subprocess.Popen(
            [os.path.join(self.programs, "postgres"), "-D", self.data, *options],
            user=self.user,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self.answers, self.process)
        self.psql("-f", os.path.join(HERE, "postgis.sql"))

    def answers(self):
        return (
            subprocess.run(
                [os.path.join(self.programs, "pg_isready"), "-q"], env=self.environment, check=False
            ).returncode
            == 0
        )

    def measure(self, files):
        """Loads the files and carries out the requests, one after the other."""
        for name in ("offers.csv", "requests.csv"):
            shutil.copy(os.path.join(files, name), self.directory)
        self.psql("-f", os.path.join(HERE, "postgis_load.sql"))
        requests = [int(row["id"]) for row in rows(os.path.join(files, "requests.csv"))]
        script = os.path.join(self.directory, "take.pgbench")
        with open(script, "w", encoding="ascii") as file:
            file.write("\\set i :i + 1\nSELECT take(:i);\n")
        for name in os.listdir(self.directory):
            if name.startswith("latency."):
                os.remove(os.path.join(self.directory, name))
        said = self.run(
            "pgbench",
            "-n",
            "-M",
            "prepared",
            "-c",
            "1",
            "-t",
            str(len(requests)),
            "-D",
            "i=%d" % (requests[0] - 1),
            "-f",
            script,
            "-l",
            "--log-prefix=latency",
            env=self.environment,
        )
        rate = float(said.split("tps = ")[1].split()[0])
        log = next(name for name in os.listdir(self.directory) if name.startswith("latency."))
        with open(os.path.join(self.directory, log), encoding="ascii") as file:
            latencies = [float(line.split()[2]) for line in file]
        return {
            "rate": rate,
            "p50_us": quantile(latencies, 0.5),
            "p99_us": quantile(latencies, 0.99),
            "matches": int(self.psql("-c", "SELECT count(*) FROM matches")),
        }


class Redis(Server):
    """One connection, one script call a request, no persistence."""

    stop_signal = signal.SIGTERM

    def __init__(self, directory):
        self.directory = os.path.join(directory, "redis")

    def start(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--bind",
                "127.0.0.1",
                "--port",
                str(self.port),
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                self.directory,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self.connects, self.process)

    def connects(self):
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port))
        except OSError:
            return False
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb")
        return True

    def __exit__(self, *arguments):
        self.replies.close()
        self.socket.close()
        super().__exit__(*arguments)

    @staticmethod
    def encode(*words):
        encoded = [str(word).encode() for word in words]
        return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)

    def reply(self):
        line = self.replies.readline()
        kind, rest = line[:1], line[1:].strip()
        if kind == b"-":
            raise Failed("redis: " + rest.decode())
        if kind != b"$":
            return rest
        return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2]

    def call(self, *words):
        self.socket.sendall(self.encode(*words))
        return self.reply()

    def call_all(self, commands):
        for start in range(0, len(commands), 1000):
            some = commands[start : start + 1000]
            self.socket.sendall(b"".join(some))
            for _ in some:
                self.reply()

    @staticmethod
    def halves(features):
        return int(features) & (1 << FEATURE_BITS) - 1, int(features) >> FEATURE_BITS

    def load(self, offers):
        self.call("FLUSHALL")
        commands = []
        for o in offers:
            low, high = self.halves(o["features"])
            commands.append(self.encode("GEOADD", "offers", o["lon"], o["lat"], o["id"]))
            fields = (
                "account",
                "credit",
                "min_credit",
                "from_day",
                "until_day",
                "cold",
                "warm",
                "pallets",
                "min_part",
                "base",
                "rate",
            )
            commands.append(
                self.encode(
                    "HSET",
                    o["id"],
                    "low",
                    low,
                    "high",
                    high,
                    "kg",
                    "" if o["kg"] == "0" else o["kg"],
                    *[word for field in fields for word in (field, o[field])]
                )
            )
        self.call_all(commands)

    def words(self, script, r):
        return self.encode(
            "EVALSHA",
            script,
            1,
            "offers",
            r["lon"],
            r["lat"],
            int(r["radius_m"]) / 1.25,
            r["from_day"],
            r["until_day"],
            r["cold"],
            r["warm"],
            *self.halves(r["features"]),
            r["pallets"],
            r["kg"],
            r["max_price"],
            r["per_access_km"],
            r["account"],
            r["credit"],
            r["min_credit"]
        )

    def measure(self, files):
        self.load(rows(os.path.join(files, "offers.csv")))
        with open(os.path.join(HERE, "take.lua"), encoding="ascii") as file:
            script = self.call("SCRIPT", "LOAD", file.read()).decode()
        calls = [self.words(script, row) for row in rows(os.path.join(files, "requests.csv"))]
        latencies, matches = [], 0
        for call in calls:
            began = time.perf_counter()
            self.socket.sendall(call)
            matches += self.reply() is not None
            latencies.append((time.perf_counter() - began) * 1e6)
        return {
            "rate": len(calls) / sum(latencies) * 1e6,
            "p50_us": quantile(latencies, 0.5),
            "p99_us": quantile(latencies, 0.99),
            "matches": matches,
        }
