package std

import "sandbar/sandbox/lua/vm"

// OpenCoroutine makes the module coroutine.
func OpenCoroutine(L *vm.State) *vm.Table {
	L.Kind("wrap", resumeWrapped, vm.ThreadType)
	return functions(L, map[string]vm.HostFunc{
		"create": create, "resume": resume, "running": running, "status": status, "wrap": wrap,
		"yield": func(L *vm.State) int { return L.Yield() },
	})
}

// newThread is what a coroutine costs: its stack has 5 kB.
const newThread = 40

func luaFunction(L *vm.State) vm.Value {
	v := L.Arg(1)
	if f := v.Function(); f == nil || f.IsHost() {
		L.ArgError(1, "Lua function expected")
	}
	return v
}

func create(L *vm.State) int {
	L.Spend(newThread)
	L.Push(L.NewThread(luaFunction(L)).Value())
	return 1
}

func checkThread(L *vm.State) *vm.Thread {
	co := L.Arg(1).Thread()
	if co == nil {
		L.ArgError(1, "coroutine expected")
	}
	return co
}

func resume(L *vm.State) int { return L.Resume(checkThread(L), 2, false) }

func running(L *vm.State) int {
	if co := L.Running(); co != nil {
		L.Push(co.Value())
	} else {
		L.Push(vm.Nil)
	}
	return 1
}

func status(L *vm.State) int {
	L.Push(L.Intern(checkThread(L).Status().String()))
	return 1
}

func wrap(L *vm.State) int {
	L.Spend(newThread)
	co := L.NewThread(luaFunction(L))
	L.Push(L.NewClosure("wrap", []vm.Value{co.Value()}, resumeWrapped).Value())
	return 1
}

// resumeWrapped is the function that wrap makes.
func resumeWrapped(L *vm.State) int { return L.Resume(L.Kept(1).Thread(), 1, true) }
