"""Asks for one job, waits for its end and ends with its exit code. Imports next to nothing: it is what still starts."""

import json
import os
import socket
import sys

PLACE = "FORKED_JOBS_SOCKET"
TAKEN = b"+"  # what an asker gets before the exit code


def main() -> int:
    """Hand over arguments, folder, environment and the three streams; 1 if the job was lost.

    Where nobody answers, as who forks was killed or may not fork, this process becomes the job.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.environ[PLACE])
            taken = connection.recv(1)
        except OSError:
            taken = b""
        if not taken:
            os.execvp("python", ["python", "-m", "echo", *sys.argv[1:]])
        asked = json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
        socket.send_fds(connection, [len(asked).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(asked)
        answer = connection.recv(1)
    if not answer:
        print("forked job: it was killed", file=sys.stderr)
    return answer[0] if answer else 1


if __name__ == "__main__":
    sys.exit(main())
