// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What the tests of this folder share.

using GLib;

// Opened once; whoever waits for it goes on then. It does not tell the executor that its
// thread waits, so that a worker is really busy.
public class Gate : Object {
	private Mutex mutex = Mutex ();
	private Cond cond = Cond ();
	private bool is_open = false;

	public void open () {
		mutex.lock ();
		is_open = true;
		cond.broadcast ();
		mutex.unlock ();
	}

	public void pass () {
		mutex.lock ();
		while (!is_open)
			cond.wait (mutex);
		mutex.unlock ();
	}
}

// Counts those that are alive, and those that died on the thread that runs the tests.
public class Counted : Object {
	private static int n_alive = 0;
	private static int n_died_here = 0;
	private static void* test_thread = null;

	public int number { get; construct; }

	public Counted (int number = 0) {
		Object (number: number);
	}

	construct {
		AtomicInt.inc (ref n_alive);
	}

	~Counted () {
		if ((void*) Thread.self<void*> () == test_thread)
			AtomicInt.inc (ref n_died_here);
		AtomicInt.add (ref n_alive, -1);
	}

	public static void start () {
		assert (AtomicInt.get (ref n_alive) == 0);
		test_thread = (void*) Thread.self<void*> ();
		AtomicInt.set (ref n_died_here, 0);
	}

	public static int alive () {
		return AtomicInt.get (ref n_alive);
	}

	public static int died_here () {
		return AtomicInt.get (ref n_died_here);
	}

	// Turns the main loop until only so many are left; the time limit of the program is
	// that of this.
	public static void settle (int left = 0) {
		while (alive () > left) {
			MainContext.default ().iteration (false);
			Concur.release_pending ();
			Thread.yield ();
		}
		assert (alive () == left);
	}
}

public delegate void Begin (AsyncReadyCallback callback);
public delegate void End (AsyncResult result) throws Error;
public delegate void Body () throws Error;

// A test that may throw, and one that is an async method.
public void add_test (string path, owned Body body) {
	Test.add_data_func (path, () => {
		try {
			body ();
		} catch (Error e) {
			error ("%s: %s", path, e.message);
		}
	});
}

public void add_async_test (string path, owned Begin begin, owned End end) {
	Test.add_data_func (path, () => {
		var loop = new MainLoop ();
		AsyncResult? ended = null;

		begin ((object, result) => {
			ended = result;
			loop.quit ();
		});
		if (ended == null)
			loop.run ();
		try {
			end (ended);
		} catch (Error e) {
			error ("%s: %s", path, e.message);
		}
	});
}

public int run_tests () {
	// A test that hangs is ended; machines may stand still for a minute.
	Posix.alarm (170);
	return Test.run ();
}
