// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Ends while work of every kind goes on: see test-exit.py. The argument chooses how.

using GLib;
using Concur;

class Held : Object {
	~Held () {
		// At exit nothing is let go.
		Posix._exit (3);
	}
}

async void wait_for_ever (Executor pool, Held held) {
	try {
		yield pool.run<void> ((job) => { while (held.ref_count > 0) Thread.yield (); });
	} catch (Error e) {
		assert_not_reached ();
	}
}

int main (string[] args) {
	var held = new Held ();
	var pool = new ThreadExecutor (2);
	var thread = new LoopThread ("at-exit");
	var begun = new Promise ();

	try {
		thread.start ();
	} catch (Error e) {
		return 2;
	}
	thread.add_task ((job) => { job.hold (); return held != null; });
	thread.submit_as<void> ((job) => {
		Timeout.add (1, () => { return held != null ? Source.CONTINUE : Source.REMOVE; });
	});
	for (int i = 0; i < 10; i++)
		pool.submit_as<void> ((job) => {
			begun.resolve ();
			while (!job.is_cancelled () && held != null)
				Thread.yield ();
		});
	wait_for_ever.begin (pool, held);
	begun.get_future ().wait ();

	switch (args[1]) {
	case "return":
		held.ref ();
		return 0;
	case "exit":
		Process.exit (0);
	case "worker":
		new ThreadExecutor (1).submit_as<void> ((job) => { Process.exit (0); });
		new MainLoop ().run ();
		return 2;
	case "shutdown":
		held.ref ();
		thread.stop_async.begin ();
		pool.shutdown (ShutdownMode.CANCEL_PENDING);
		return 0;
	default:
		return 2;
	}
}
