// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Scopes for work: every result in order, errors that cancel the others, and an end after
// which nobody is called any more.

using GLib;
using Concur;

const int MANY = 50;

TaskGroup group_with (GroupPolicy policy, TaskGroup? parent = null) {
	return (TaskGroup) Object.new (typeof (TaskGroup), "policy", policy, "parent", parent);
}

// Runs until it is cancelled.
void endless (Job job) throws Error {
	while (true) {
		job.check_cancelled ();
		Thread.yield ();
	}
}

async void test_results () throws Error {
	var group = new TaskGroup (new ThreadExecutor (3));
	var gate = new Gate ();

	Counted.start ();
	{
		var held = new Counted (1);
		for (int i = 0; i < MANY; i++) {
			int number = i;
			group.submit_as<Counted> ((job) => {
				// The first ones are not the first to be done.
				if (number < 2)
					gate.pass ();
				return new Counted (number + held.number);
			});
		}
		assert ((yield group.run<int> ((job) => { gate.open (); return 7; })) == 7);
		assert (group.n_members == MANY + 1);
		try {
			yield group.close ().results_as<Counted> ();
			assert_not_reached ();
		} catch (FutureError.WRONG_TYPE e) {
			assert (e.message.contains ("gint"));
		}
	}
	group = new TaskGroup ();
	for (int i = 0; i < MANY; i++) {
		int number = i;
		group.submit_as<Counted> ((job) => { return new Counted (number); });
	}
	GenericArray<Counted> all = yield group.close ().results_as<Counted> ();
	assert (all.length == MANY);
	for (int i = 0; i < MANY; i++)
		assert (all[i].number == i);
	all = null;
	group = null;
	// Until it waits again, a method keeps what it has waited for.
	yield Executor.get_default ().run<void> ((job) => {});
	Counted.settle ();
}

async void test_results_of () throws Error {
	Future[] futures = {};
	for (int i = 0; i < 3; i++) {
		int number = i;
		futures += Executor.get_default ().submit_as<string> ((job) => { return number.to_string (); });
	}
	GenericArray<string> texts = yield Future.all (futures).results_as<string> ();
	assert (texts.length == 3 && texts[0] == "0" && texts[2] == "2");
	assert ((yield Future.all ({}).results_as<int> ()).length == 0);

	try {
		yield futures[0].results_as<string> ();
		assert_not_reached ();
	} catch (FutureError.WRONG_TYPE e) {
		assert (e.message != "");
	}
	// An element of an array of Vala is never null.
	try {
		yield Future.all ({ futures[0], Future.resolved () }).results_as<string> ();
		assert_not_reached ();
	} catch (FutureError.WRONG_TYPE e) {
		assert (e.message.contains ("Member 1"));
	}
}

async void test_error () throws Error {
	var group = new TaskGroup ();
	var running = group.submit_as<void> ((job) => endless (job));

	group.submit_as<string> ((job) => { throw new IOError.NO_SPACE ("full"); });
	try {
		yield group.close ().result_as<void> ();
		assert_not_reached ();
	} catch (IOError.NO_SPACE e) {
		assert (e.message == "full");
	}
	// Also the others have ended by then.
	assert (running.get_state () == FutureState.CANCELLED);
	try {
		yield group.run<int> ((job) => { return 1; });
		assert_not_reached ();
	} catch (ExecutorError.SHUT_DOWN e) {
		assert (group.n_running == 0);
	}
}

async void test_collect () throws Error {
	var group = group_with (GroupPolicy.COLLECT);
	var good = group.submit_as<int> ((job) => { return 5; });
	var bad = group.submit_as<int> ((job) => { throw new IOError.BUSY ("one of them"); });
	var end = group.close ();

	yield end.wait_async ();
	assert (good.value_as<int> () == 5);
	try {
		bad.value_as<int> ();
		assert_not_reached ();
	} catch (IOError.BUSY e) {
		assert (e.message == "one of them");
	}
	try {
		yield end.results_as<int> ();
		assert_not_reached ();
	} catch (IOError.BUSY e) {
		assert (e.message == "one of them");
	}
}

async void test_nested () throws Error {
	var outer = new TaskGroup ();
	var inner = group_with (GroupPolicy.CANCEL_ON_ERROR, outer);
	var running = inner.submit_as<void> ((job) => endless (job));

	assert (inner.get_parent () == outer);
	var end = inner.close ();
	outer.cancel ();
	try {
		yield end.result_as<void> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (running.get_state () == FutureState.CANCELLED);
	}
	try {
		yield outer.close ().result_as<void> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (outer.is_cancelled ());
	}
}

async void test_cancellable () throws Error {
	var cancellable = new Cancellable ();
	var group = new TaskGroup (null, cancellable);
	Future[] members = {};

	for (int i = 0; i < 3; i++)
		members += group.submit_as<void> ((job) => endless (job));
	var end = group.close ();
	cancellable.cancel ();
	try {
		yield end.results_as<void> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		foreach (var member in members)
			assert (member.get_state () == FutureState.CANCELLED);
	}
}

// A widget that shows what was found, for as long as it is there.
class View : Object {
	public TaskGroup group { get; private set; default = new TaskGroup (); }
	public int n_shown = 0;

	public void show_when_done (Future future) {
		group.when_done (future, () => { n_shown++; });
	}

	public void disable () {
		group.cancel_silently ();
	}
}

void test_silently () throws Error {
	Counted.start ();
	{
		var view = new View ();
		var gate = new Gate ();
		var held = new Counted ();
		var here = Thread.self<void*> ();
		int n_called = 0;

		var first = view.group.submit_as<string> ((job) => { return "first"; });
		view.show_when_done (first);
		while (view.n_shown == 0)
			MainContext.default ().iteration (true);

		var second = view.group.submit_as<string> ((job) => { gate.pass (); return "second"; });
		view.show_when_done (second);
		view.group.when_done (second, () => {
			assert (Thread.self<void*> () == here && held.number == 0);
			n_called++;
		});
		view.disable ();
		held = null;
		gate.open ();
		while (!second.is_done ())
			MainContext.default ().iteration (true);
		for (int i = 0; i < 100; i++)
			MainContext.default ().iteration (false);
		assert (view.n_shown == 1 && n_called == 0 && view.group.is_cancelled ());
	}
	Counted.settle ();
}

async void test_bind () throws Error {
	var group = new TaskGroup ();
	var view = new Counted ();
	var running = group.submit_as<void> ((job) => endless (job));
	bool called = false;

	group.bind (view, true);
	group.when_done (running, () => { called = true; });
	view = null;
	try {
		yield group.close ().result_as<void> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (running.get_state () == FutureState.CANCELLED && !called);
	}
}

// A group whose work nobody closed is cancelled when it goes.
async void test_forgotten () throws Error {
	Future running;
	{
		var group = new TaskGroup ();
		running = group.submit_as<void> ((job) => endless (job));
	}
	try {
		yield running.result_as<void> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (running.get_state () == FutureState.CANCELLED);
	}
}

int main (string[] args) {
	Test.init (ref args);
	add_async_test ("/vala/groups/results", (done) => test_results.begin (done), (result) => test_results.end (result));
	add_async_test ("/vala/groups/results-of", (done) => test_results_of.begin (done), (result) => test_results_of.end (result));
	add_async_test ("/vala/groups/error", (done) => test_error.begin (done), (result) => test_error.end (result));
	add_async_test ("/vala/groups/collect", (done) => test_collect.begin (done), (result) => test_collect.end (result));
	add_async_test ("/vala/groups/nested", (done) => test_nested.begin (done), (result) => test_nested.end (result));
	add_async_test ("/vala/groups/cancellable", (done) => test_cancellable.begin (done), (result) => test_cancellable.end (result));
	add_test ("/vala/groups/silently", test_silently);
	add_async_test ("/vala/groups/bind", (done) => test_bind.begin (done), (result) => test_bind.end (result));
	add_async_test ("/vala/groups/forgotten", (done) => test_forgotten.begin (done), (result) => test_forgotten.end (result));
	return run_tests ();
}
